//! The config of `tensor-train/sentiment`.

use serde::{Deserialize, Serialize};

use super::super::classifier::ClassifierRecipe;
use super::super::tables::{self, Choice};
use crate::config::{Problem, Validate};
use crate::data::{Input, InputKind};

/// Which reviews, which tables, and the model around them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SentimentConfig {
    /// Where the reviews lie.
    pub reviews: ReviewsRef,
    /// The tables that are compared: each is a training of its own, from the same draws.
    pub embeddings: Vec<Choice>,
    /// The rank of trains and rings whose name says none. Tables of the other forms have no more
    /// parameters than such a train, as far as they can be so small.
    pub rank: usize,
    /// Cores of trains and rings.
    pub cores: usize,
    /// Numbers for words at most, the three that stand for no word included.
    pub max_words: usize,
    /// Words of a review that are read: the last ones.
    pub max_tokens: usize,
    /// Width of the vectors.
    pub d_embed: usize,
    /// Width of the state, each way.
    pub d_hidden: usize,
    /// Part of the vectors' and of the pooled states' numbers that are dropped while training.
    pub dropout: f64,
    /// The training.
    pub recipe: ClassifierRecipe,
}

/// Reviews in a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReviewsRef {
    /// A table with columns `label` and `text`. Empty for generated sentences.
    pub path: String,
    /// Reviews that are not learned from and report: the seed draws them.
    pub held_out: usize,
    /// Reviews that report in the place of those held out, and are taken from what is learned from: for the
    /// choice of settings. 0 for the report itself.
    pub selection: usize,
}

impl Default for SentimentConfig {
    fn default() -> Self {
        let choices = ["dense", "tt", "tr", "low-rank"];
        Self {
            reviews: ReviewsRef::default(),
            embeddings: choices.map(|name| name.parse().expect("a table")).to_vec(),
            rank: 16,
            cores: 3,
            max_words: 25_000,
            max_tokens: 200,
            d_embed: 256,
            d_hidden: 64,
            dropout: 0.3,
            recipe: ClassifierRecipe::default(),
        }
    }
}

impl SentimentConfig {
    /// The files that have to be there.
    pub(super) fn inputs(&self) -> Vec<Input> {
        match self.reviews.path.as_str() {
            "" => Vec::new(),
            path => vec![Input::new(InputKind::File, "reviews.path", path)],
        }
    }
}

impl Validate for SentimentConfig {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = tables::problems(&self.embeddings, false);
        let mut require = |holds: bool, key: &str, message: String| {
            if !holds {
                problems.push(Problem::new(key, message));
            }
        };
        let from_file = !self.reviews.path.is_empty();
        let held_out = self.reviews.held_out;
        require(!from_file || held_out > 0, "reviews.held_out", "is 0".to_owned());
        let message = format!("{held_out}, but generated sentences have a split of their own");
        require(from_file || held_out == 0, "reviews.held_out", message);
        let message = "generated sentences have no part to choose by".to_owned();
        require(from_file || self.reviews.selection == 0, "reviews.selection", message);
        require(self.rank > 0, "rank", "is 0".to_owned());
        require((2..=8).contains(&self.cores), "cores", format!("{}, expected 2 to 8", self.cores));
        require(self.max_words >= 16, "max_words", "is below 16".to_owned());
        require(self.max_tokens > 0, "max_tokens", "is 0".to_owned());
        require(self.d_embed > 0, "d_embed", "is 0".to_owned());
        require(self.d_hidden > 0, "d_hidden", "is 0".to_owned());
        let message = format!("{}, expected 0 or more and below 1", self.dropout);
        require((0.0..1.0).contains(&self.dropout), "dropout", message);
        problems.extend(self.recipe.problems());
        problems
    }
}
