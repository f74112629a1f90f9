//! Reports: HTML that needs nothing but itself, and its Markdown twin.

mod index;
mod markdown;
mod side_by_side;

use std::fs;

use anyhow::{Context as _, Result};
use askama::Template;

use crate::config::About;
use crate::environment::Environment;
use crate::error::doing;
use crate::figure::{Figure, STYLE};
use crate::format::{bytes, duration, number};
use crate::present::Presentation;
use crate::record::{Metric, Results};
use crate::rundir::RunDir;
use crate::table::{Cell, Table};

pub use index::{Entry, index_html, index_markdown};
pub use side_by_side::side_by_side;

const PAGE_STYLE: &str = include_str!("../../templates/page.css");
/// Sorts tables; whoever reads without scripts misses nothing else.
pub(crate) const SCRIPT: &str = include_str!("../../templates/sort.js");

/// Everything that stands in the report of a run.
#[derive(Debug)]
pub struct Document<'a> {
    /// A few words for the experiment.
    pub title: &'a str,
    /// What the experiment file says about itself.
    pub about: &'a About,
    /// The resolved config as TOML.
    pub config: String,
    /// Words, figures and tables.
    pub presentation: &'a Presentation,
    /// The numbers.
    pub results: &'a Results,
    /// Machine and code.
    pub environment: &'a Environment,
}

/// A chart as a page shows it.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// Name of its file without the ending.
    pub name: String,
    /// What it shows.
    pub title: String,
    /// How to read it.
    pub caption: String,
    /// The drawing.
    pub svg: String,
}

impl From<&Figure> for Drawn {
    fn from(figure: &Figure) -> Self {
        Self {
            name: figure.name.clone(),
            title: figure.title.clone(),
            caption: figure.caption.clone(),
            svg: figure.inline_svg(),
        }
    }
}

/// Figures that belong together.
struct Part {
    title: String,
    figures: Vec<Drawn>,
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    style: String,
    script: &'static str,
    title: &'a str,
    about: &'a About,
    results: &'a Results,
    words: &'a Presentation,
    parts: Vec<Part>,
    metrics: Table,
    config: &'a str,
    environment: Vec<(&'static str, String)>,
    command: &'a str,
    started: &'a str,
    took: String,
}

impl Document<'_> {
    /// The page as one HTML file.
    ///
    /// # Errors
    /// None but those of the template engine.
    pub fn html(&self) -> Result<String> {
        let mut parts: Vec<Part> = Vec::new();
        for figure in &self.presentation.figures {
            if parts.last().is_none_or(|part| part.title != figure.part) {
                parts.push(Part { title: figure.part.clone(), figures: Vec::new() });
            }
            if let Some(part) = parts.last_mut() {
                part.figures.push(Drawn::from(figure));
            }
        }
        let page = Page {
            style: page_style(),
            script: SCRIPT,
            title: self.title,
            about: self.about,
            results: self.results,
            words: self.presentation,
            parts,
            metrics: all_metrics(&self.results.metrics),
            config: &self.config,
            environment: environment_rows(self.environment),
            command: &self.environment.command,
            started: &self.environment.started,
            took: duration(self.environment.wall_seconds),
        };
        page.render().context("cannot lay out report.html")
    }

    /// The Markdown twin.
    pub fn markdown(&self) -> String {
        markdown::render(self)
    }
}

pub(crate) fn page_style() -> String {
    format!("{STYLE}{PAGE_STYLE}")
}

/// Adds the tables that the run wrote itself, such as lists of words.
///
/// # Errors
/// A table that cannot be read, naming it.
pub fn add_kept_tables(dir: &RunDir, presentation: &mut Presentation) -> Result<()> {
    let folder = dir.path().join("tables");
    let Ok(entries) = fs::read_dir(&folder) else { return Ok(()) };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|e| e == "csv")) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if presentation.tables.iter().any(|table| table.name == name) {
            continue;
        }
        let read = || -> Result<Table> { Table::from_csv(&name, &name, &fs::read(path)?) };
        presentation.tables.push(read().with_context(|| doing("read", path))?);
    }
    Ok(())
}

/// Every record as a row: name, labels, value, interval.
fn all_metrics(metrics: &[Metric]) -> Table {
    let mut labels: Vec<&str> = Vec::new();
    for (name, _) in metrics.iter().flat_map(|metric| metric.place.iter()) {
        if !labels.contains(&name) {
            labels.push(name);
        }
    }
    let columns = ["metric"].into_iter().chain(labels.iter().copied());
    let columns = columns.chain(["value", "95 % interval", "n", "unit"]);
    let mut table = Table::new("metrics", "All numbers", columns);
    for metric in metrics {
        let place = labels.iter().map(|name| match metric.place.get(name) {
            Some(label) => Cell::from(label.to_string()),
            None => Cell::Empty,
        });
        let interval =
            metric.ci95.map(|[low, high]| format!("{} to {}", number(low), number(high)));
        let rest = [
            Cell::from(metric.value),
            Cell::from(interval),
            Cell::from(metric.n),
            Cell::from(metric.unit.as_str()),
        ];
        table.push([Cell::from(metric.name.as_str())].into_iter().chain(place).chain(rest));
    }
    table
}

/// The environment as the report lists it; what is not known is left out.
fn environment_rows(environment: &Environment) -> Vec<(&'static str, String)> {
    let Environment { git_commit, git_dirty, cpu, memory_bytes, .. } = environment;
    let commit = git_commit.as_ref().map(|commit| match git_dirty {
        Some(true) => format!("{commit} with uncommitted changes"),
        _ => commit.clone(),
    });
    let burn = Some(environment.burn.clone()).filter(|version| !version.is_empty());
    let lock =
        environment.cargo_lock_sha256.as_ref().map(|hash| hash[..16.min(hash.len())].to_owned());
    let cost = environment.cpu_seconds.map(duration);
    [
        ("Device", Some(environment.device.clone())),
        ("Processor", cpu.as_ref().map(|cpu| format!("{cpu}, {} threads", environment.cores))),
        ("GPUs", Some(environment.gpus.join("; ")).filter(|gpus| !gpus.is_empty())),
        ("Memory", memory_bytes.map(bytes)),
        ("System", Some(environment.os.clone())),
        ("Wall time", Some(duration(environment.wall_seconds))),
        ("Processor time", cost),
        ("Peak memory", environment.peak_rss_bytes.map(bytes)),
        ("Commit", commit),
        ("Cargo.lock", lock),
        ("burn", burn),
        ("Compiler", Some(environment.rustc.clone())),
        ("Build", Some(environment.build.clone())),
        ("Features", Some(environment.features.join(", "))),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

#[cfg(test)]
mod tests;
