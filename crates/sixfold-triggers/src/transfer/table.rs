//! The outcomes of all runs of an experiment.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// One trigger, found on a source model, tried on a target model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Trial {
    /// The model that the trigger was found on.
    pub source: String,
    /// The model that it is tried on.
    pub target: String,
    /// The task whose examples it is tried on.
    pub task: String,
    /// The method, `luat` or `uat` or a control.
    pub method: String,
    /// What sets this run apart from others of the method: a layer and q, or a restart.
    pub setting: String,
    /// The seed.
    pub seed: u64,
    /// Which examples of the task it fooled, in an order that all trials of the task share.
    pub fooled: Vec<bool>,
    /// The same on examples of a similar task, where these are to select.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<Proxy>,
}

/// Outcomes on a similar task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Proxy {
    /// The similar task.
    pub task: String,
    /// Which of its examples were fooled.
    pub fooled: Vec<bool>,
}

/// Trials that can be compared.
///
/// See [`Headline`](super::Headline) for an example.
#[derive(Clone, Debug)]
pub struct Table {
    trials: Vec<Trial>,
    examples: BTreeMap<String, usize>,
}

/// What both methods of a comparison have trials for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Case {
    pub(super) source: String,
    pub(super) target: String,
    pub(super) task: String,
    pub(super) seed: u64,
}

impl Trial {
    pub(super) fn case(&self) -> Case {
        Case {
            source: self.source.clone(),
            target: self.target.clone(),
            task: self.task.clone(),
            seed: self.seed,
        }
    }
}

impl Table {
    /// A table of trials.
    ///
    /// # Errors
    /// [`Error::Empty`] for no trials or a trial without examples, [`Error::Mismatch`] where
    /// trials of a task have different numbers of examples, two trials say the same of
    /// themselves, or a similar task is the task itself.
    pub fn new(trials: Vec<Trial>) -> Result<Self> {
        if trials.is_empty() {
            return Err(Error::Empty { what: "trials to compare" });
        }
        let mut examples: BTreeMap<String, usize> = BTreeMap::new();
        let mut seen = FxHashSet::default();
        for trial in &trials {
            let found = trial.fooled.len();
            let proxy = trial.proxy.as_ref();
            if found == 0 || proxy.is_some_and(|proxy| proxy.fooled.is_empty()) {
                return Err(Error::Empty { what: "outcomes in a trial" });
            }
            let known = *examples.entry(trial.task.clone()).or_insert(found);
            if known != found {
                return Err(Error::Mismatch {
                    what: "the number of outcomes of a trial",
                    expected: format!("{known}, as in others of {}", trial.task),
                    found: found.to_string(),
                });
            }
            if proxy.is_some_and(|proxy| proxy.task == trial.task) {
                return Err(Error::Mismatch {
                    what: "the similar task of a trial",
                    expected: "another task".to_owned(),
                    found: trial.task.clone(),
                });
            }
            if !seen.insert((trial.case_key(), &trial.method, &trial.setting)) {
                return Err(Error::Mismatch {
                    what: "a trial",
                    expected: "one of its kind".to_owned(),
                    found: format!("two of {} {}: {}", trial.method, trial.setting, trial.case()),
                });
            }
        }
        Ok(Self { trials, examples })
    }

    /// All trials.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// Examples of a task.
    pub(super) fn examples(&self, task: &str) -> usize {
        self.examples.get(task).copied().unwrap_or(0)
    }
}

impl Trial {
    fn case_key(&self) -> (&str, &str, &str, u64) {
        (&self.source, &self.target, &self.task, self.seed)
    }
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} → {} on {}, seed {}", self.source, self.target, self.task, self.seed)
    }
}
