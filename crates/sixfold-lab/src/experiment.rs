//! What an experiment is, and the list of them.

use anyhow::Result;
use serde::Serialize;
use serde::de::DeserializeOwned;
use toml::Table;

use crate::config::{self, ExperimentFile, Override, Preset, Resolved, Validate};
use crate::context::Context;
use crate::data::Input;
use crate::estimate::Work;
use crate::present::Presentation;
use crate::record::Results;

/// A question that a run answers.
pub trait Experiment: Send + Sync {
    /// The typed config; its default is the first layer.
    type Config: Default + Serialize + DeserializeOwned + Validate;

    /// `crate/name`.
    fn name(&self) -> &'static str;

    /// A few words for the list.
    fn title(&self) -> &'static str;

    /// The experiment file.
    fn file(&self) -> ExperimentFile;

    /// Whether the numbers depend on the seed; where not, one run serves all seeds.
    fn uses_seed(&self) -> bool {
        true
    }

    /// The files that have to be there.
    fn inputs(&self, config: &Self::Config) -> Vec<Input>;

    /// What takes most of the time of one seed, for the dry run. Experiments that train nothing have none.
    fn work(&self, _config: &Self::Config) -> Vec<Work> {
        Vec::new()
    }

    /// Measures with one seed and records metrics in the context.
    ///
    /// # Errors
    /// Whatever stops it; what was recorded before is kept.
    fn run(&self, config: &Self::Config, cx: &mut Context) -> Result<()>;

    /// Tables, figures and words for the numbers. Must need nothing but its arguments:
    /// `report` calls it for kept results.
    fn present(&self, config: &Self::Config, results: &Results) -> Presentation;

    /// Why the numbers of a finished run make the command fail, where a key of the config asks for that.
    fn gate(&self, _config: &Self::Config, _results: &Results) -> Option<String> {
        None
    }
}

/// An [`Experiment`] whose config type is forgotten.
pub trait AnyExperiment: Send + Sync {
    /// See [`Experiment::name`].
    fn name(&self) -> &'static str;

    /// See [`Experiment::title`].
    fn title(&self) -> &'static str;

    /// See [`Experiment::uses_seed`].
    fn uses_seed(&self) -> bool;

    /// The config of a preset with overrides.
    ///
    /// # Errors
    /// Unknown keys and wrong types, naming file, line and key.
    fn resolve(&self, preset: Preset, overrides: &[Override]) -> Result<Resolved>;

    /// See [`Experiment::inputs`].
    ///
    /// # Errors
    /// A table that is not a config of this experiment.
    fn inputs(&self, table: &Table) -> Result<Vec<Input>>;

    /// See [`Experiment::work`].
    ///
    /// # Errors
    /// A table that is not a config of this experiment.
    fn work(&self, table: &Table) -> Result<Vec<Work>>;

    /// See [`Experiment::run`].
    ///
    /// # Errors
    /// Those of the run.
    fn run(&self, table: &Table, cx: &mut Context) -> Result<()>;

    /// See [`Experiment::present`].
    ///
    /// # Errors
    /// A table that is not a config of this experiment.
    fn present(&self, table: &Table, results: &Results) -> Result<Presentation>;

    /// See [`Experiment::gate`].
    ///
    /// # Errors
    /// A table that is not a config of this experiment.
    fn gate(&self, table: &Table, results: &Results) -> Result<Option<String>>;
}

impl<E: Experiment> AnyExperiment for E {
    fn name(&self) -> &'static str {
        Experiment::name(self)
    }

    fn title(&self) -> &'static str {
        Experiment::title(self)
    }

    fn uses_seed(&self) -> bool {
        Experiment::uses_seed(self)
    }

    fn resolve(&self, preset: Preset, overrides: &[Override]) -> Result<Resolved> {
        config::resolve::<E::Config>(Experiment::name(self), self.file(), preset, overrides)
    }

    fn inputs(&self, table: &Table) -> Result<Vec<Input>> {
        Ok(Experiment::inputs(self, &config::check(table, self.file().path)?))
    }

    fn work(&self, table: &Table) -> Result<Vec<Work>> {
        Ok(Experiment::work(self, &config::check(table, self.file().path)?))
    }

    fn run(&self, table: &Table, cx: &mut Context) -> Result<()> {
        Experiment::run(self, &config::check(table, self.file().path)?, cx)
    }

    fn present(&self, table: &Table, results: &Results) -> Result<Presentation> {
        Ok(Experiment::present(self, &config::check(table, self.file().path)?, results))
    }

    fn gate(&self, table: &Table, results: &Results) -> Result<Option<String>> {
        Ok(Experiment::gate(self, &config::check(table, self.file().path)?, results))
    }
}

/// The experiments that a binary offers.
#[derive(Default)]
pub struct Registry {
    experiments: Vec<Box<dyn AnyExperiment>>,
}

impl Registry {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same list with one more.
    #[must_use]
    pub fn with(mut self, experiment: impl AnyExperiment + 'static) -> Self {
        self.experiments.push(Box::new(experiment));
        self.experiments.sort_by_key(|one| one.name());
        self
    }

    /// All, by name.
    pub fn iter(&self) -> impl Iterator<Item = &dyn AnyExperiment> {
        self.experiments.iter().map(AsRef::as_ref)
    }

    /// The one called `name`.
    ///
    /// # Errors
    /// Exit code 2 for an unknown name, with the nearest one.
    pub fn get(&self, name: &str) -> Result<&dyn AnyExperiment> {
        if let Some(found) = self.iter().find(|one| one.name() == name) {
            return Ok(found);
        }
        let names: Vec<&str> = self.iter().map(AnyExperiment::name).collect();
        let hint = match config::nearest(name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are: {}", names.join(", ")),
        };
        Err(crate::error::config(format!("command line: unknown experiment `{name}`; {hint}")))
    }
}
