//! How the small classifiers are trained whose tables are compared.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sixfold_model::train::{AdamWConfig, GroupRule, ParamGroups, Schedule, TrainerConfig};

use super::tables::Choice;
use crate::config::Problem;
use crate::format::short;

/// How a classifier is trained: the same for every table but for [`table_lr`](Self::table_lr).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClassifierRecipe {
    /// Examples of a step.
    pub batch_size: usize,
    /// Passes over the examples. What is reported is the model after the last.
    pub epochs: u64,
    /// The highest learning rate; it falls to 0 in a line.
    pub peak_lr: f64,
    /// Standard deviation of the entries of each table at first.
    pub std: f64,
    /// Factors on the learning rate of a table, by its name; 1 where none stands here. The entries of
    /// small factors are few and far from their products, so that one rate does not suit all forms.
    pub table_lr: BTreeMap<Choice, f64>,
}

impl Default for ClassifierRecipe {
    fn default() -> Self {
        Self { batch_size: 64, epochs: 3, peak_lr: 2e-3, std: 0.1, table_lr: BTreeMap::new() }
    }
}

impl ClassifierRecipe {
    pub(super) fn trainer(&self, seed: u64) -> TrainerConfig {
        TrainerConfig {
            batch_size: self.batch_size,
            epochs: self.epochs,
            peak_lr: self.peak_lr,
            schedule: Schedule::Linear,
            warmup_ratio: 0.05,
            optimizer: AdamWConfig { weight_decay: 0.0, ..AdamWConfig::default() },
            seed,
            ..TrainerConfig::default()
        }
    }

    /// The learning rates of a model whose table has the paths of `pattern`.
    pub(super) fn groups(
        &self,
        choice: Choice,
        pattern: &str,
    ) -> sixfold_model::Result<ParamGroups> {
        match self.table_lr.get(&choice) {
            None => Ok(ParamGroups::default()),
            Some(&lr_factor) => {
                ParamGroups::default().with([pattern], GroupRule { lr_factor, weight_decay: None })
            }
        }
    }

    /// A sentence on learning rates, where tables have their own.
    pub(super) fn rates(&self) -> Option<String> {
        let own: Vec<String> = self
            .table_lr
            .iter()
            .map(|(choice, factor)| format!("{} for `{choice}`", short(*factor)))
            .collect();
        (!own.is_empty()).then(|| {
            format!(
                "All models get the same batches and steps. The learning rates of tables differ, times that of the \
                 rest: {}.",
                own.join(", ")
            )
        })
    }

    /// What is wrong with it, under the key `recipe`.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !(self.std.is_finite() && self.std > 0.0) {
            let message = format!("{}, expected a positive number", self.std);
            problems.push(Problem::new("recipe.std", message));
        }
        for (choice, factor) in &self.table_lr {
            if !(factor.is_finite() && *factor > 0.0) {
                let message = format!("{factor}, expected a positive number");
                problems.push(Problem::new(format!("recipe.table_lr.{choice}"), message));
            }
        }
        if let Err(sixfold_model::Error::Hyperparameters { problems: found }) =
            self.trainer(0).validate()
        {
            problems.extend(found.into_iter().map(|problem| Problem::new("recipe", problem)));
        }
        problems
    }
}
