//! The page over all experiments of `all`.

use std::fmt::Write;

use anyhow::{Context as _, Result};
use askama::Template;

use crate::environment::Environment;
use crate::format::duration;

use super::{Drawn, SCRIPT, environment_rows, page_style};

/// One experiment in the index.
#[derive(Clone, Debug)]
pub struct Entry {
    /// `crate/name`.
    pub experiment: String,
    /// A few words for it.
    pub title: String,
    /// Status of its run.
    pub status: String,
    /// Wall time.
    pub seconds: f64,
    /// What came out, or why nothing did.
    pub headline: String,
    /// Whether there is a report to link to.
    pub has_report: bool,
    /// The first chart of the report.
    pub figure: Option<Drawn>,
}

impl Entry {
    /// The time for a reader.
    pub fn took(&self) -> String {
        duration(self.seconds)
    }
}

#[derive(Template)]
#[template(path = "index.html")]
struct Page<'a> {
    style: String,
    script: &'static str,
    preset: &'a str,
    entries: &'a [Entry],
    has_figures: bool,
    complete: usize,
    took: String,
    started: &'a str,
    command: &'a str,
    environment: Vec<(&'static str, String)>,
}

/// The index as one HTML file; the reports lie in folders of the experiments' names beside it.
///
/// # Errors
/// None but those of the template engine.
pub fn index_html(preset: &str, entries: &[Entry], environment: &Environment) -> Result<String> {
    let page = Page {
        style: page_style(),
        script: SCRIPT,
        preset,
        entries,
        has_figures: entries.iter().any(|entry| entry.figure.is_some()),
        complete: entries.iter().filter(|entry| entry.status == "complete").count(),
        took: duration(environment.wall_seconds),
        started: &environment.started,
        command: &environment.command,
        environment: environment_rows(environment),
    };
    page.render().context("cannot lay out index.html")
}

/// The Markdown twin of the index.
pub fn index_markdown(preset: &str, entries: &[Entry]) -> String {
    let mut text = format!("# All experiments, preset {preset}\n\n");
    text += "| experiment | status | time | what came out |\n| --- | --- | ---: | --- |\n";
    for entry in entries {
        let Entry { experiment, status, headline, .. } = entry;
        let headline = headline.replace('|', "\\|");
        let name = match entry.has_report {
            true => format!("[{experiment}]({experiment}/report.md)"),
            false => experiment.clone(),
        };
        let _ = writeln!(text, "| {name} | {status} | {} | {headline} |", entry.took());
    }
    for Entry { experiment, figure, .. } in entries {
        if let Some(Drawn { name, title, .. }) = figure {
            let _ =
                write!(text, "\n## {experiment}\n\n![{title}]({experiment}/figures/{name}.svg)\n");
        }
    }
    text
}
