//! The training that all methods of a comparison share.

use serde::{Deserialize, Serialize};
use sixfold_model::train::{AdamWConfig, TrainerConfig};

use crate::config::Problem;
use crate::estimate::Work;
use crate::format::short;

/// A training, the same for all methods but for its learning rate.
///
/// The learning rate rises over a tenth of the steps and falls in a line; gradients are clipped at 1. There is no weight
/// decay: it would pull full weights, factors and entries to different places.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TuningRecipe {
    /// Steps.
    pub steps: u64,
    /// Examples of a step.
    pub batch_size: usize,
    /// Examples of the training split that are learned from, always the same; 0 for all.
    pub examples: usize,
    /// Learning rates that every method tries.
    pub learning_rates: Vec<f64>,
    /// The seed with which they are tried.
    pub tune_seed: u64,
    /// What chooses among them.
    pub chosen_by: ChosenBy,
    /// Examples of the training split that the trials do not learn from.
    pub held_out: usize,
    /// Batches of which calibrations take the gradients.
    pub calibration_batches: usize,
}

/// The loss whose minimum chooses a learning rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChosenBy {
    /// That of what is held out.
    #[default]
    HeldOutLoss,
    /// That of the last tenth of the trial's steps, where the question is how well a method fits: of few examples, seen
    /// many times, what is held out would choose the rate that learns least.
    TrainLoss,
}

impl Default for TuningRecipe {
    fn default() -> Self {
        Self {
            steps: 200,
            batch_size: 16,
            examples: 0,
            learning_rates: vec![1e-4, 3e-4, 1e-3, 3e-3],
            tune_seed: 34,
            chosen_by: ChosenBy::HeldOutLoss,
            held_out: 256,
            calibration_batches: 30,
        }
    }
}

impl TuningRecipe {
    /// What so many methods train, for the dry run: trials of learning rates, which all seeds share, and a training each.
    pub(super) fn work(&self, methods: usize, max_tokens: usize) -> Vec<Work> {
        let step = format!("{} × {max_tokens} tokens at most", self.batch_size);
        let trials =
            if self.learning_rates.len() > 1 { methods * self.learning_rates.len() } else { 0 };
        let trials = (trials > 0).then(|| Work::trainings(trials, self.steps, &step).shared());
        trials.into_iter().chain([Work::trainings(methods, self.steps, &step)]).collect()
    }

    /// How a learning rate was chosen, for the report.
    pub(super) fn choice(&self) -> String {
        let Self { tune_seed, held_out, .. } = self;
        let by = match self.chosen_by {
            ChosenBy::HeldOutLoss => {
                format!("of the lowest loss on {held_out} held-out examples of the training split")
            }
            ChosenBy::TrainLoss => "that fitted best at the end of its steps".to_owned(),
        };
        match self.learning_rates.len() {
            1 => "The learning rate was not tuned".to_owned(),
            n => format!(
                "Each method tried the same {n} learning rates with seed {tune_seed}, and took the one {by}"
            ),
        }
    }

    /// What is learned from, for the report.
    pub(super) fn subset(&self) -> String {
        match self.examples {
            0 => String::new(),
            n => {
                let times = self.steps as f64 * self.batch_size as f64 / n as f64;
                format!(", always of the same {n} examples, each seen {} times", short(times))
            }
        }
    }

    /// The settings of one training.
    pub(super) fn trainer(&self, peak_lr: f64, seed: u64) -> TrainerConfig {
        TrainerConfig {
            batch_size: self.batch_size,
            max_steps: Some(self.steps),
            peak_lr,
            optimizer: AdamWConfig { weight_decay: 0.0, ..AdamWConfig::default() },
            seed,
            ..TrainerConfig::default()
        }
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut require = |holds: bool, key: &str, message: String| {
            if !holds {
                problems.push(Problem::new(format!("recipe.{key}"), message));
            }
        };
        let rates = &self.learning_rates;
        require(!rates.is_empty(), "learning_rates", "is empty; one at least is tried".to_owned());
        for (index, lr) in rates.iter().enumerate() {
            require(
                lr.is_finite() && *lr > 0.0,
                "learning_rates",
                format!("{lr}, expected a positive number"),
            );
            require(!rates[..index].contains(lr), "learning_rates", format!("{lr} stands twice"));
        }
        require(
            rates.len() < 2 || self.held_out > 0 || self.chosen_by == ChosenBy::TrainLoss,
            "held_out",
            "is 0, but learning rates are chosen by what is held out".to_owned(),
        );
        require(
            self.calibration_batches > 0,
            "calibration_batches",
            "is 0; a basis of gradients needs some".to_owned(),
        );
        let lr = rates.first().copied().unwrap_or(1e-3);
        if let Err(sixfold_model::Error::Hyperparameters { problems: found }) =
            self.trainer(lr, 0).validate()
        {
            problems.extend(found.into_iter().map(|problem| Problem::new("recipe", problem)));
        }
        problems
    }
}
