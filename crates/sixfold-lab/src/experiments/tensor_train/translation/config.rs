//! The config of `tensor-train/translation`.

use serde::{Deserialize, Serialize};

use super::super::recipe::{TransformerRecipe, train_problems};
use super::super::tables::{self, Choice};
use crate::config::{Problem, Validate};
use crate::data::{Input, InputKind};

/// Which sentences are translated, with which tables, by what model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TranslationConfig {
    /// What is learned from. Without files, generated pairs of a made-up language and English.
    pub train: PairFiles,
    /// What BLEU and perplexity are measured on, once, after the training.
    pub test: PairFiles,
    /// The tables; changes are against the first.
    pub embeddings: Vec<Choice>,
    /// Cores of trains and rings.
    pub cores: usize,
    /// The rank of trains and rings whose name says none.
    pub rank: usize,
    /// Entries of the joint vocabulary at most: byte-pair encoding, learned from both sides of
    /// `train`.
    pub vocab: usize,
    /// Tokens of a sentence at most; pairs with a longer one are not learned from.
    pub max_tokens: usize,
    /// Beams of the search; 1 takes the likeliest token each time.
    pub beams: usize,
    /// The model and its training.
    pub recipe: TransformerRecipe,
}

/// Two files whose lines are translations of each other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PairFiles {
    /// Sentences to translate, one a line; `.gz` is read as well.
    pub source: String,
    /// Their translations, on the same lines.
    pub target: String,
}

impl Default for TranslationConfig {
    fn default() -> Self {
        Self {
            train: PairFiles::default(),
            test: PairFiles::default(),
            embeddings: ["dense-tied", "tt-64", "tt-64-tied"]
                .map(|name| name.parse().expect("the name of a table"))
                .to_vec(),
            cores: 3,
            rank: 16,
            vocab: 8_000,
            max_tokens: 64,
            beams: 4,
            recipe: TransformerRecipe::default(),
        }
    }
}

impl TranslationConfig {
    /// Whether the pairs are generated.
    pub(super) fn generated(&self) -> bool {
        self.train == PairFiles::default() && self.test == PairFiles::default()
    }

    /// The files that have to be there.
    pub(super) fn inputs(&self) -> Vec<Input> {
        if self.generated() {
            return Vec::new();
        }
        [
            ("train.source", &self.train.source),
            ("train.target", &self.train.target),
            ("test.source", &self.test.source),
            ("test.target", &self.test.target),
        ]
        .into_iter()
        .map(|(key, path)| Input::new(InputKind::File, key, path))
        .collect()
    }
}

impl Validate for TranslationConfig {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = tables::problems(&self.embeddings, true);
        problems.extend(train_problems(self.cores, self.rank));
        problems.extend(self.recipe.problems());
        let mut require = |holds: bool, key: &str, message: String| {
            if !holds {
                problems.push(Problem::new(key, message));
            }
        };
        for input in self.inputs() {
            let message = "is empty; without files all four paths are left out";
            require(!input.path.is_empty(), &input.key, message.to_owned());
        }
        let least = 258;
        require(
            self.vocab >= least,
            "vocab",
            format!("{} is too few; 256 bytes and two signs are {least}", self.vocab),
        );
        require(self.max_tokens > 1, "max_tokens", "is below 2".to_owned());
        require(
            self.recipe.batch_tokens >= self.max_tokens,
            "recipe.batch_tokens",
            format!(
                "{} is less than the {} of one sentence",
                self.recipe.batch_tokens, self.max_tokens
            ),
        );
        require(self.beams > 0, "beams", "is 0; 1 is the least".to_owned());
        problems
    }
}
