//! `report`: pages from kept results.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::ValueEnum;

use crate::atomic::atomic_write;
use crate::cli::ReportArgs;
use crate::config::Preset;
use crate::environment::Environment;
use crate::error::{config, doing};
use crate::experiment::Registry;
use crate::present::Presentation;
use crate::record::Results;
use crate::report::side_by_side;
use crate::rundir::RunDir;
use crate::runner::write_report;
use crate::sweep::{Sweep, is_sweep, write_index};
use crate::terminal::print;

/// Writes the report of each run again, and of several one page with all of them; of a sweep its
/// index.
pub(crate) fn report(registry: &Registry, arguments: &ReportArgs) -> Result<()> {
    let mut runs = Vec::new();
    for path in &arguments.runs {
        if is_sweep(path) {
            write_index(&Sweep::open(registry, path)?)?;
            print(&format!("{}\n", path.join("index.html").display()))?;
            continue;
        }
        let (results, presentation) = again(registry, path)?;
        print(&format!("{}\n", path.join("report.html").display()))?;
        runs.push((path.display().to_string(), results, presentation));
    }
    if runs.len() > 1 || arguments.out.is_some() {
        let out = arguments.out.clone().unwrap_or_else(|| PathBuf::from("side-by-side.html"));
        atomic_write(&out, side_by_side(&runs)?)?;
        print(&format!("{}\n", out.display()))?;
    }
    Ok(())
}

fn again(registry: &Registry, path: &Path) -> Result<(Results, Presentation)> {
    let dir = RunDir::open(path)?;
    let results: Results = dir.read_json("results.json")?;
    if results.schema != 1 {
        let file = path.join("results.json");
        return Err(config(format!(
            "{}: schema {} is not known to this version, which reads 1",
            file.display(),
            results.schema
        )));
    }
    let experiment = registry.get(&results.experiment)?;
    let preset = Preset::from_str(&results.preset, true)
        .map_err(|_| config(format!("{}: unknown preset `{}`", path.display(), results.preset)))?;
    let file = path.join("config.toml");
    let text = fs::read_to_string(&file).with_context(|| doing("read", &file))?;
    let mut resolved = experiment.resolve(preset, &[])?;
    resolved.table = text.parse().map_err(|error: toml::de::Error| {
        config(format!("{}: {}", file.display(), error.message()))
    })?;
    let environment: Environment = dir.read_json("env.json")?;
    let presentation = write_report(experiment, &resolved, &dir, &results, &environment)?;
    Ok((results, presentation))
}
