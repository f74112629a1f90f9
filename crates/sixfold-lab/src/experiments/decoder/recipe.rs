//! The config of a small decoder that a run trains itself.

use serde::{Deserialize, Serialize};
use sixfold_model::TransformerSpec;
use sixfold_model::train::{Schedule, TrainerConfig};

use crate::config::Problem;
use crate::data::{Input, InputKind};
use crate::estimate::Work;

/// A small decoder and how it is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recipe {
    /// A directory with the `tokenizer.json` that cuts the text into tokens.
    pub tokenizer: String,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Blocks.
    pub n_layers: usize,
    /// Heads of attention.
    pub n_heads: usize,
    /// Tokens of an example.
    pub context: usize,
    /// Examples of a step.
    pub batch_size: usize,
    /// Steps of the training.
    pub steps: u64,
    /// Steps in which the learning rate rises.
    pub warmup_steps: u64,
    /// The highest learning rate; it falls along half a cosine.
    pub peak_lr: f64,
    /// Tokens of the text that are read, held-out ones included; 0 for all.
    pub max_tokens: usize,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            tokenizer: "{repo}/fixtures/models/stories260k".to_owned(),
            d_model: 64,
            n_layers: 5,
            n_heads: 4,
            context: 128,
            batch_size: 16,
            steps: 1024,
            warmup_steps: 32,
            peak_lr: 3e-3,
            max_tokens: 0,
        }
    }
}

impl Recipe {
    /// The file that has to be there.
    pub(in crate::experiments) fn input(&self) -> Input {
        let path = format!("{}/tokenizer.json", self.tokenizer);
        Input::new(InputKind::File, "recipe.tokenizer", path)
    }

    /// Trainings of this kind, for the dry run.
    pub(in crate::experiments) fn work(&self, trainings: usize) -> Work {
        let step = format!("{} × {} tokens", self.batch_size, self.context);
        Work::trainings(trainings, self.steps, &step)
    }

    /// The settings of the training.
    pub(in crate::experiments) fn trainer(&self, seed: u64) -> TrainerConfig {
        TrainerConfig {
            batch_size: self.batch_size,
            max_steps: Some(self.steps),
            peak_lr: self.peak_lr,
            schedule: Schedule::Cosine,
            warmup_steps: Some(self.warmup_steps),
            seed,
            ..TrainerConfig::default()
        }
    }

    /// The decoder over a vocabulary.
    pub(in crate::experiments) fn spec(&self, vocab_size: usize) -> TransformerSpec {
        TransformerSpec::decoder(vocab_size, self.d_model, self.n_layers, self.n_heads)
    }

    /// The steps at which the model is measured: 0, then doubling, then the last.
    pub(in crate::experiments) fn measured_steps(&self) -> Vec<u64> {
        let doubling = std::iter::successors(Some(1), |step| Some(step * 2));
        let before = doubling.take_while(|step| *step < self.steps);
        std::iter::once(0).chain(before).chain([self.steps]).collect()
    }

    pub(in crate::experiments) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut require = |holds: bool, key: &str, message: &str| {
            if !holds {
                problems.push(Problem::new(format!("recipe.{key}"), message.to_owned()));
            }
        };
        require(self.n_layers > 0, "n_layers", "is 0; at least one block is expected");
        require(self.steps > 0, "steps", "is 0; at least one step is expected");
        require(self.context >= 8, "context", "is too short; at least 8 tokens are expected");
        let heads = self.n_heads > 0 && self.d_model.is_multiple_of(2 * self.n_heads.max(1));
        require(
            heads && self.d_model > 0,
            "d_model",
            "is not a multiple of 2 · n_heads, which rotary positions need",
        );
        require(!self.tokenizer.is_empty(), "tokenizer", "is empty; a directory is expected");
        if let Err(sixfold_model::Error::Hyperparameters { problems: found }) =
            self.trainer(0).validate()
        {
            problems.extend(found.into_iter().map(|problem| Problem::new("recipe", problem)));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measured_steps_double_between_the_ends() {
        let steps = |steps| Recipe { steps, ..Recipe::default() }.measured_steps();
        assert_eq!(steps(10), [0, 1, 2, 4, 8, 10]);
        assert_eq!(steps(8), [0, 1, 2, 4, 8]);
        assert_eq!(steps(1), [0, 1]);
    }
}
