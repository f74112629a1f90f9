//! The config of `triggers/audit`.

use serde::{Deserialize, Serialize};

use super::super::keys::{self, FilterKeys, Rules, SearchKeys};
use super::super::methods::Method;
use super::super::splits;
use super::super::victims::{TrainingConfig, VictimConfig};
use crate::config::{Problem, Validate};
use crate::data::{Input, SentenceTask};

/// Which classifier is searched for triggers, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditConfig {
    /// The classifier.
    pub victim: VictimConfig,
    /// The task: one of GLUE, or `synthetic`.
    pub task: SentenceTask,
    /// The directory of GLUE.
    pub glue: String,
    /// Examples that report, at most; 0 for all of the dev file.
    pub max_dev: usize,
    /// Methods that are compared, under one budget each.
    pub methods: Vec<Method>,
    /// Tokens of a trigger.
    pub length: usize,
    /// Norms of the layerwise method.
    pub q: Vec<f64>,
    /// Its layers, from 0; the upper half where none is named.
    pub layers: Vec<usize>,
    /// Example-forwards of a search, all but the victim's answers to clean texts.
    pub budget: f64,
    /// A run whose worst fooling rate on what reports is above this fails with exit code 1, after its results are
    /// written. `--fail-above` sets it.
    pub fail_above: f64,
    /// Which tokens a trigger may have.
    pub filter: FilterKeys,
    /// How triggers are searched for.
    pub search: SearchKeys,
    /// How a victim is trained.
    pub training: TrainingConfig,
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self {
            victim: VictimConfig::default(),
            task: SentenceTask::Synthetic,
            glue: "{data}/glue".to_owned(),
            max_dev: 0,
            methods: Method::ALL.to_vec(),
            length: 3,
            q: vec![2.0, 5.0],
            layers: Vec::new(),
            budget: 24_000.0,
            fail_above: 1.0,
            filter: FilterKeys::default(),
            search: SearchKeys::default(),
            training: TrainingConfig::default(),
        }
    }
}

impl AuditConfig {
    /// The files that have to be there.
    pub(super) fn inputs(&self) -> Vec<Input> {
        let mut inputs = self.victim.source().inputs("victim.dir", &self.training);
        inputs.extend(splits::inputs(self.task, &self.glue));
        inputs
    }

    pub(super) fn rules(&self) -> Rules<'_> {
        let Self { length, budget, search, filter, .. } = self;
        Rules { length: *length, budget: *budget, search, filter }
    }
}

impl Validate for AuditConfig {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = splits::problems("task", self.task);
        let (methods, q, layers) = (&self.methods, &self.q, &self.layers);
        problems.extend(keys::problems(methods, q, layers, self.rules()));
        problems.extend(self.training.problems());
        if !(0.0..=1.0).contains(&self.fail_above) {
            let message = format!("{}, expected a rate from 0 to 1", self.fail_above);
            problems.push(Problem::new("fail_above", message));
        }
        problems
    }
}
