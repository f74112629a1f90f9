//! Which run of a method speaks for it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::table::Case;
use super::{Split, Table, Trial};
use crate::{BootstrapConfig, Error, Result};

/// How runs are chosen and compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Protocol {
    /// Which pairs of models count.
    pub pairs: Pairs,
    /// What a setting is chosen by.
    pub evidence: Evidence,
    /// How intervals are drawn.
    pub bootstrap: BootstrapConfig,
}

/// Which pairs of models count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pairs {
    /// Source and target differ.
    #[default]
    Transfer,
    /// Source and target are the same.
    WhiteBox,
    /// Both.
    All,
}

/// What a setting is chosen by. Labels play no part: fooling needs none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Evidence {
    /// Some unlabelled examples of the target, which then do not score.
    Target {
        /// How many.
        examples: usize,
        /// The seed of their choice.
        seed: u64,
    },
    /// The examples of the similar task that each trial brings; all of the task itself score.
    SimilarTask,
}

impl Default for Evidence {
    /// 256 examples of the target.
    fn default() -> Self {
        Self::Target { examples: 256, seed: 0 }
    }
}

/// The run that speaks for a method.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Chosen {
    /// The model that the trigger was found on.
    pub source: String,
    /// The model that it is tried on.
    pub target: String,
    /// The task.
    pub task: String,
    /// The seed.
    pub seed: u64,
    /// The setting of the run.
    pub setting: String,
    /// Settings that it was chosen from, 1 where it was given.
    pub candidates: usize,
    /// Its fooling rate on the examples that selected; `None` where it was given.
    pub selecting_rate: Option<f64>,
    /// Its fooling rate on the examples that score.
    pub rate: f64,
    /// Which of these it fooled.
    #[serde(skip)]
    pub(super) fooled: Vec<bool>,
}

/// Which setting.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule<'a> {
    Fixed(&'a str),
    Best,
}

impl Pairs {
    pub(super) fn admits(self, trial: &Trial) -> bool {
        match self {
            Self::Transfer => trial.source != trial.target,
            Self::WhiteBox => trial.source == trial.target,
            Self::All => true,
        }
    }
}

impl Table {
    /// The run of a method for every case, in the order of cases.
    pub(super) fn choose(
        &self,
        method: &str,
        rule: Rule<'_>,
        protocol: &Protocol,
    ) -> Result<BTreeMap<Case, Chosen>> {
        let mut runs: BTreeMap<Case, Vec<&Trial>> = BTreeMap::new();
        for trial in self.trials().iter().filter(|trial| trial.method == method) {
            if protocol.pairs.admits(trial) {
                runs.entry(trial.case()).or_default().push(trial);
            }
        }
        let chosen = |(case, runs): (Case, Vec<&Trial>)| {
            let found = self.chosen(&case, &runs, rule, protocol.evidence)?;
            Ok((case, found))
        };
        runs.into_iter().map(chosen).collect()
    }

    fn chosen(
        &self,
        case: &Case,
        runs: &[&Trial],
        rule: Rule<'_>,
        evidence: Evidence,
    ) -> Result<Chosen> {
        let split = match evidence {
            Evidence::Target { examples, seed } => {
                Some(Split::draw(self.examples(&case.task), examples, seed)?)
            }
            Evidence::SimilarTask => None,
        };
        let (run, candidates, selecting_rate) = match rule {
            Rule::Fixed(setting) => {
                let found = runs.iter().copied().find(|run| run.setting == setting);
                let run = found.ok_or_else(|| Error::Mismatch {
                    what: "the settings of a method",
                    expected: format!("{setting} among them"),
                    found: format!("none of it: {case}"),
                })?;
                (run, 1, None)
            }
            Rule::Best => {
                let mut best: Option<(&Trial, f64)> = None;
                for &run in runs {
                    let rate = selecting_rate(case, run, split.as_ref())?;
                    // Of equal rates the run that comes first in the table.
                    if best.is_none_or(|(_, highest)| rate > highest) {
                        best = Some((run, rate));
                    }
                }
                let (run, rate) = best.ok_or(Error::Empty { what: "runs to choose from" })?;
                (run, runs.len(), Some(rate))
            }
        };
        let fooled: Vec<bool> = match &split {
            Some(split) => split.scored().iter().map(|&i| run.fooled[i]).collect(),
            None => run.fooled.clone(),
        };
        Ok(Chosen {
            source: case.source.clone(),
            target: case.target.clone(),
            task: case.task.clone(),
            seed: case.seed,
            setting: run.setting.clone(),
            candidates,
            selecting_rate,
            rate: share(fooled.iter()),
            fooled,
        })
    }
}

/// The fooling rate of a run on what selects.
fn selecting_rate(case: &Case, run: &Trial, split: Option<&Split>) -> Result<f64> {
    if let Some(split) = split {
        return Ok(share(split.selecting().iter().map(|&i| &run.fooled[i])));
    }
    match &run.proxy {
        Some(proxy) => Ok(share(proxy.fooled.iter())),
        None => Err(Error::Mismatch {
            what: "a trial to choose from",
            expected: "outcomes on a similar task".to_owned(),
            found: format!("none for {} {}: {case}", run.method, run.setting),
        }),
    }
}

fn share<'a>(flags: impl ExactSizeIterator<Item = &'a bool>) -> f64 {
    let n = flags.len() as f64;
    flags.filter(|flag| **flag).count() as f64 / n
}
