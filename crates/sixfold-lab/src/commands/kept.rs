//! Reading a run back from its directory.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use clap::ValueEnum;

use crate::config::{Preset, Resolved};
use crate::environment::Environment;
use crate::error::{config, doing};
use crate::experiment::{AnyExperiment, Registry};
use crate::record::Results;
use crate::rundir::RunDir;

/// A run that wrote its results.
pub(super) struct KeptRun<'a> {
    pub(super) experiment: &'a dyn AnyExperiment,
    pub(super) dir: RunDir,
    pub(super) resolved: Resolved,
    pub(super) results: Results,
    pub(super) environment: Environment,
}

/// Reads the run in `path`.
///
/// # Errors
/// A directory without a run, a file that is damaged, or a layout of another version.
pub(super) fn read<'a>(registry: &'a Registry, path: &Path) -> Result<KeptRun<'a>> {
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
    Ok(KeptRun { experiment, dir, resolved, results, environment })
}
