//! The config of a transformer whose tables are compared, and of its training.

use serde::{Deserialize, Serialize};
use sixfold_model::train::{Schedule, TrainerConfig};

use super::tables;
use crate::config::Problem;

/// A transformer and its training, the same for all tables.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TransformerRecipe {
    /// Width of the residual stream and of the table.
    pub d_model: usize,
    /// Blocks; of an encoder-decoder, in each of the two.
    pub n_layers: usize,
    /// Heads of attention.
    pub n_heads: usize,
    /// Rate of dropout.
    pub dropout: f64,
    /// Positions of a step at most, padding included; of an encoder-decoder, in each of the two.
    pub batch_tokens: usize,
    /// Passes over the text.
    pub epochs: u64,
    /// Steps in which the learning rate rises.
    pub warmup_steps: u64,
    /// The highest learning rate; it falls along half a cosine.
    pub peak_lr: f64,
}

impl Default for TransformerRecipe {
    fn default() -> Self {
        Self {
            d_model: 128,
            n_layers: 3,
            n_heads: 4,
            dropout: 0.1,
            batch_tokens: 1024,
            epochs: 5,
            warmup_steps: 200,
            peak_lr: 2e-3,
        }
    }
}

impl TransformerRecipe {
    /// The settings of a training on batches of `batch_size` examples.
    pub(super) fn trainer(&self, batch_size: usize, seed: u64) -> TrainerConfig {
        TrainerConfig {
            batch_size,
            epochs: self.epochs,
            peak_lr: self.peak_lr,
            schedule: Schedule::Cosine,
            warmup_steps: Some(self.warmup_steps),
            seed,
            ..TrainerConfig::default()
        }
    }

    /// The tables of a vocabulary; token vectors are multiplied by √d, so that those that go in
    /// have entries of about 1, and scores begin with a deviation of about 1.
    pub(super) fn tables(&self, vocab: usize, cores: usize, rank: usize) -> tables::Recipe {
        let d_embed = self.d_model;
        tables::Recipe { vocab, d_embed, cores, rank, std: (d_embed as f64).powf(-0.5) }
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut require = |holds: bool, key: &str, message: &str| {
            if !holds {
                problems.push(Problem::new(format!("recipe.{key}"), message.to_owned()));
            }
        };
        require(self.n_layers > 0, "n_layers", "is 0; at least one block is expected");
        let heads = self.n_heads > 0 && self.d_model.is_multiple_of(2 * self.n_heads.max(1));
        require(
            heads && self.d_model > 0,
            "d_model",
            "is not a multiple of 2 · n_heads, which positions need",
        );
        require((0.0..1.0).contains(&self.dropout), "dropout", "is not in [0, 1)");
        require(self.batch_tokens > 0, "batch_tokens", "is 0");
        if let Err(sixfold_model::Error::Hyperparameters { problems: found }) =
            self.trainer(1, 0).validate()
        {
            problems.extend(found.into_iter().map(|problem| Problem::new("recipe", problem)));
        }
        problems
    }
}

/// What is wrong with the shape of trains.
pub(super) fn train_problems(cores: usize, rank: usize) -> Vec<Problem> {
    let mut problems = Vec::new();
    if !(2..=8).contains(&cores) {
        problems.push(Problem::new("cores", format!("{cores}, expected 2 to 8")));
    }
    if rank == 0 {
        problems.push(Problem::new("rank", "is 0; ranks begin at 1"));
    }
    problems
}
