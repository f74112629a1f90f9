//! `list` and `show`.

use anyhow::Result;
use serde_json::json;

use crate::cli::Chosen;
use crate::config::{Override, PRESETS, Preset};
use crate::error::config;
use crate::experiment::Registry;
use crate::table::{Cell, Table};
use crate::terminal::print;

/// What the experiments of a crate are after.
const PAPERS: [(&str, &str); 6] = [
    ("geometry", "The Shape of Learning, EACL Findings 2024"),
    ("linearity", "Your Transformer is Secretly Linear, ACL 2024"),
    ("sgns", "Riemannian Optimization for Skip-Gram Negative Sampling (RO-SGNS), ACL 2017"),
    ("sparsegrad", "SparseGrad, EMNLP 2024"),
    ("tensor-train", "Tensorized Embedding Layers (TT, TR), EMNLP Findings 2020"),
    ("triggers", "Layerwise universal adversarial attack on NLP models (LUAT), ACL Findings 2023"),
];

/// Prints the experiments that speak of all `words`, paper by paper.
pub(crate) fn list(registry: &Registry, words: &[String], json: bool) -> Result<()> {
    let mut text = String::new();
    let mut table = Table::new("list", "", ["experiment", "answers", "time"]);
    let mut entries = Vec::new();
    let mut last = "";
    let mut close = |table: &mut Table, paper: &str| {
        if !table.rows.is_empty() {
            text += &format!("{paper}\n{}\n\n", table.to_terminal());
            table.rows.clear();
        }
    };
    for experiment in registry.iter() {
        let about = experiment.resolve(Preset::Smoke, &[])?.about;
        let group = experiment.name().split('/').next().unwrap_or_default();
        let paper = PAPERS.iter().find(|(name, _)| *name == group).map_or("", |(_, paper)| paper);
        let said = [experiment.name(), experiment.title(), &about.question, &about.answers, paper];
        if !words.iter().all(|word| speaks(&said.join(" "), word)) {
            continue;
        }
        if paper != last {
            close(&mut table, last);
            last = paper;
        }
        table.push([
            Cell::from(experiment.name()),
            Cell::from(about.question.as_str()),
            Cell::from(about.time.as_str()),
        ]);
        entries.push(json!({
            "name": experiment.name(),
            "title": experiment.title(),
            "paper": paper,
            "question": about.question,
            "answers": about.answers,
            "hardware": about.hardware,
            "time": about.time,
            "presets": PRESETS,
        }));
    }
    close(&mut table, last);
    if json {
        return print(&format!("{}\n", serde_json::to_string_pretty(&entries)?));
    }
    if entries.is_empty() {
        let words = words.join(" ");
        return Err(config(format!("no experiment speaks of `{words}`; `list` alone shows all")));
    }
    print(&text)
}

/// Whether a word of `text` begins with `word`, or the phrase stands in it; upper and lower case are the same.
fn speaks(text: &str, word: &str) -> bool {
    let (text, word) = (text.to_lowercase(), word.to_lowercase());
    let starts =
        |(at, _): (usize, &str)| !text[..at].chars().next_back().is_some_and(char::is_alphanumeric);
    text.match_indices(&word).any(starts)
}

/// Prints a resolved config with the origin of each value.
pub(crate) fn show(registry: &Registry, chosen: &Chosen) -> Result<()> {
    let experiment = registry.get(&chosen.name)?;
    let overrides = parse(&chosen.overrides)?;
    let resolved = experiment.resolve(chosen.preset, &overrides)?;
    let about = &resolved.about;
    let mut text = format!("# {}, preset {}\n", experiment.name(), chosen.preset.name());
    for line in [&about.question, &about.answers, &about.hardware, &about.time] {
        if !line.is_empty() {
            text += &format!("# {line}\n");
        }
    }
    text.push('\n');
    let entries: Vec<_> = resolved
        .entries()
        .map(|(key, value, origin)| (format!("{key} = {value}"), origin))
        .collect();
    // A long list of models must not push all the other remarks to the right.
    let width = entries.iter().map(|(text, _)| text.chars().count()).filter(|n| *n <= 60).max();
    for (entry, origin) in &entries {
        text += &format!("{entry:width$}  # {origin}\n", width = width.unwrap_or(0));
    }
    print(&text)
}

/// The overrides of a command line.
pub(super) fn parse(texts: &[String]) -> Result<Vec<Override>> {
    texts.iter().map(|text| Override::parse(text)).collect()
}
