//! The config of `tensor-train/language-model`.

use serde::{Deserialize, Serialize};

use super::super::recipe::{TransformerRecipe, train_problems};
use super::super::tables::{self, Choice};
use crate::config::{Problem, Validate};
use crate::experiments::profile::TextConfig;

/// Which text is learned, with which tables, by what model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LanguageModelConfig {
    /// The text; reading stops at the end of the document with word number `max_tokens`.
    pub text: TextConfig,
    /// One document in so many is held out, and those are the last of the text: neighbours may be
    /// parts of one story, so that ones in between would be known in part.
    pub held_out: usize,
    /// How often a word must be in the text that is learned from to have a number.
    pub min_count: u64,
    /// Entries of the vocabulary at most, the most frequent words first.
    pub vocab: usize,
    /// Words of an example.
    pub context: usize,
    /// The tables; changes are against the first.
    pub embeddings: Vec<Choice>,
    /// Cores of trains and rings.
    pub cores: usize,
    /// The rank of trains and rings whose name says none; low rank has no more parameters.
    pub rank: usize,
    /// The model and its training.
    pub recipe: TransformerRecipe,
}

impl Default for LanguageModelConfig {
    fn default() -> Self {
        Self {
            text: TextConfig::default(),
            held_out: 10,
            min_count: 3,
            vocab: 20_000,
            context: 64,
            embeddings: ["dense-tied", "tt-64", "tt-64-tied"]
                .map(|name| name.parse().expect("the name of a table"))
                .to_vec(),
            cores: 3,
            rank: 64,
            recipe: TransformerRecipe::default(),
        }
    }
}

impl Validate for LanguageModelConfig {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = self.text.problems("text");
        problems.extend(tables::problems(&self.embeddings, true));
        problems.extend(train_problems(self.cores, self.rank));
        problems.extend(self.recipe.problems());
        let mut require = |holds: bool, key: &str, message: String| {
            if !holds {
                problems.push(Problem::new(key, message));
            }
        };
        require(
            self.held_out > 1,
            "held_out",
            format!("{}, expected 2 or more: 10 holds a tenth out", self.held_out),
        );
        require(self.min_count > 0, "min_count", "is 0; a word stands somewhere".to_owned());
        require(self.vocab > 8, "vocab", format!("{} is too few", self.vocab));
        require(self.context > 1, "context", "is below 2".to_owned());
        require(
            self.recipe.batch_tokens >= self.context,
            "recipe.batch_tokens",
            format!("{} is less than one example of {}", self.recipe.batch_tokens, self.context),
        );
        problems
    }
}
