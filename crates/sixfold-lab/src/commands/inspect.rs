//! `list` and `show`.

use anyhow::Result;
use serde_json::json;

use crate::cli::Chosen;
use crate::config::{Override, PRESETS, Preset};
use crate::error::config;
use crate::experiment::Registry;
use crate::table::{Cell, Table};
use crate::terminal::print;

/// Prints the experiments that speak of all `words`.
pub(crate) fn list(registry: &Registry, words: &[String], json: bool) -> Result<()> {
    let mut table = Table::new("list", "", ["experiment", "answers", "time"]);
    let mut entries = Vec::new();
    for experiment in registry.iter() {
        let about = experiment.resolve(Preset::Smoke, &[])?.about;
        let said = [experiment.name(), experiment.title(), &about.question, &about.answers];
        let said = said.join(" ").to_lowercase();
        if !words.iter().all(|word| said.contains(&word.to_lowercase())) {
            continue;
        }
        table.push([
            Cell::from(experiment.name()),
            Cell::from(about.question.as_str()),
            Cell::from(about.time.as_str()),
        ]);
        entries.push(json!({
            "name": experiment.name(),
            "title": experiment.title(),
            "question": about.question,
            "answers": about.answers,
            "hardware": about.hardware,
            "time": about.time,
            "presets": PRESETS,
        }));
    }
    if json {
        return print(&format!("{}\n", serde_json::to_string_pretty(&entries)?));
    }
    if table.rows.is_empty() {
        let words = words.join(" ");
        return Err(config(format!("no experiment speaks of `{words}`; `list` alone shows all")));
    }
    print(&format!("{}\n", table.to_terminal()))
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
