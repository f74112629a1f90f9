//! The settings of a training.

use serde::{Deserialize, Serialize};

use super::{AdamWConfig, Schedule};
use crate::{Error, Result};

/// The settings of a [`Trainer`](super::Trainer). The defaults are those that BERT's authors
/// suggest for fine-tuning (arXiv 1810.04805, appendix A.3), with Hugging Face's linear decay and
/// clipping.
///
/// ```
/// use sixfold_model::train::TrainerConfig;
///
/// let config = TrainerConfig { batch_size: 0, peak_lr: -1.0, ..TrainerConfig::default() };
/// let error = config.validate().unwrap_err().to_string();
/// assert!(error.contains("batch_size") && error.contains("peak_lr"));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainerConfig {
    /// Examples of a micro-batch: what one forward pass sees.
    pub batch_size: usize,
    /// Micro-batches whose gradients make one step.
    pub accumulation: usize,
    /// Passes over the examples.
    pub epochs: u64,
    /// Steps, in place of epochs.
    pub max_steps: Option<u64>,
    /// Whether each epoch has an order of its own.
    pub shuffle: bool,
    /// The highest learning rate.
    pub peak_lr: f64,
    /// How the learning rate goes on after the warm-up.
    pub schedule: Schedule,
    /// Part of the steps in which the learning rate rises, from 0 to 1.
    pub warmup_ratio: f64,
    /// Steps of warm-up, in place of a part.
    pub warmup_steps: Option<u64>,
    /// The constants of AdamW, weight decay among them.
    pub optimizer: AdamWConfig,
    /// Bound on the global norm of the gradients; `None` for none.
    pub clip_norm: Option<f64>,
    /// The root seed: order of the data and dropout.
    pub seed: u64,
}

impl Default for TrainerConfig {
    fn default() -> Self {
        Self {
            batch_size: 32,
            accumulation: 1,
            epochs: 3,
            max_steps: None,
            shuffle: true,
            peak_lr: 5e-5,
            schedule: Schedule::Linear,
            warmup_ratio: 0.1,
            warmup_steps: None,
            optimizer: AdamWConfig::default(),
            clip_norm: Some(1.0),
            seed: 0,
        }
    }
}

impl TrainerConfig {
    /// Refuses settings that make no sense.
    ///
    /// # Errors
    /// [`Error::Hyperparameters`] with all problems at once.
    pub fn validate(&self) -> Result<()> {
        let problems = self.problems();
        if problems.is_empty() { Ok(()) } else { Err(Error::Hyperparameters { problems }) }
    }

    /// All problems, one line each.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut require = |holds: bool, problem: String| {
            if !holds {
                problems.push(problem);
            }
        };
        require(self.batch_size > 0, "batch_size is 0".to_owned());
        require(self.accumulation > 0, "accumulation is 0".to_owned());
        match self.max_steps {
            None => require(self.epochs > 0, "epochs is 0".to_owned()),
            Some(steps) => require(steps > 0, "max_steps is 0".to_owned()),
        }
        require(
            self.peak_lr.is_finite() && self.peak_lr >= 0.0,
            format!("peak_lr {} is not a finite number from 0", self.peak_lr),
        );
        require(
            (0.0..=1.0).contains(&self.warmup_ratio),
            format!("warmup_ratio {} is not in [0, 1]", self.warmup_ratio),
        );
        if let Some(norm) = self.clip_norm {
            require(norm.is_finite() && norm > 0.0, format!("clip_norm {norm} is not positive"));
        }
        problems.extend(self.optimizer.problems());
        problems
    }

    /// Steps of an epoch over `n` examples; the last may be smaller.
    pub fn steps_per_epoch(&self, n: usize) -> u64 {
        n.div_ceil(self.batch_size * self.accumulation) as u64
    }

    /// Steps of the whole training over `n` examples.
    pub fn total_steps(&self, n: usize) -> u64 {
        self.max_steps.unwrap_or_else(|| self.epochs * self.steps_per_epoch(n))
    }

    /// Steps of warm-up, rounded up as Hugging Face does.
    pub fn warmup(&self, total: u64) -> u64 {
        self.warmup_steps.unwrap_or_else(|| (total as f64 * self.warmup_ratio).ceil() as u64)
    }

    /// The learning rate of a step, from 0.
    pub fn learning_rate(&self, step: u64, total: u64) -> f64 {
        self.peak_lr * self.schedule.factor(step, self.warmup(total), total)
    }
}
