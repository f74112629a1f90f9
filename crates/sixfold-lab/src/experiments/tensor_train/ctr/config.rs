//! The config of `tensor-train/ctr`.

use serde::{Deserialize, Serialize};

use super::super::classifier::ClassifierRecipe;
use super::super::tables::{self, Choice};
use crate::config::{Problem, Validate};
use crate::data::{Input, InputKind};

/// Which log, which tables, and the model around them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CtrConfig {
    /// Where the logs lie.
    pub clicks: ClicksRef,
    /// The tables that are compared: each is a training of its own, from the same draws.
    pub embeddings: Vec<Choice>,
    /// The rank of trains and rings whose name says none. Tables of the other forms have no more
    /// parameters than such a train, as far as they can be so small.
    pub rank: usize,
    /// Cores of trains and rings.
    pub cores: usize,
    /// How often a category has to occur to have a row of its own.
    pub min_count: u64,
    /// Width of the vectors.
    pub d_embed: usize,
    /// Widths of the hidden layers.
    pub d_hidden: Vec<usize>,
    /// Part of the hidden numbers that are dropped while training.
    pub dropout: f64,
    /// The training.
    pub recipe: ClassifierRecipe,
}

/// Logs in Criteo's layout.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClicksRef {
    /// What is learned from. Empty for made-up rows.
    pub train: String,
    /// What reports.
    pub dev: String,
}

impl Default for CtrConfig {
    fn default() -> Self {
        let choices = ["dense", "tt", "tr", "low-rank", "hash"];
        Self {
            clicks: ClicksRef::default(),
            embeddings: choices.map(|name| name.parse().expect("a table")).to_vec(),
            rank: 8,
            cores: 3,
            min_count: 2,
            d_embed: 16,
            d_hidden: vec![64, 32],
            dropout: 0.2,
            recipe: ClassifierRecipe::default(),
        }
    }
}

impl CtrConfig {
    /// The files that have to be there.
    pub(super) fn inputs(&self) -> Vec<Input> {
        let files = [("clicks.train", &self.clicks.train), ("clicks.dev", &self.clicks.dev)];
        let given = files.into_iter().filter(|(_, path)| !path.is_empty());
        given.map(|(key, path)| Input::new(InputKind::File, key, path)).collect()
    }
}

impl Validate for CtrConfig {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = tables::problems(&self.embeddings, false);
        let mut require = |holds: bool, key: &str, message: String| {
            if !holds {
                problems.push(Problem::new(key, message));
            }
        };
        let ClicksRef { train, dev } = &self.clicks;
        let both = train.is_empty() == dev.is_empty();
        let key = if dev.is_empty() { "clicks.dev" } else { "clicks.train" };
        require(both, key, "is empty, and the other log is given".to_owned());
        require(self.rank > 0, "rank", "is 0".to_owned());
        require((2..=8).contains(&self.cores), "cores", format!("{}, expected 2 to 8", self.cores));
        require(self.min_count > 0, "min_count", "is 0".to_owned());
        require(self.d_embed > 0, "d_embed", "is 0".to_owned());
        let widths = !self.d_hidden.is_empty() && !self.d_hidden.contains(&0);
        require(widths, "d_hidden", "is empty or has a 0".to_owned());
        let message = format!("{}, expected 0 or more and below 1", self.dropout);
        require((0.0..1.0).contains(&self.dropout), "dropout", message);
        problems.extend(self.recipe.problems());
        problems
    }
}
