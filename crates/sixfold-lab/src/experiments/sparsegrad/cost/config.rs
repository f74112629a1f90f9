//! The config of `sparsegrad/cost`.

use std::fmt;

use serde::{Deserialize, Serialize};
use sixfold_model::{Activation, ClassifierSpec, Pooling, TransformerSpec};

use super::super::glue::{fraction_problem, twice};
use super::super::methods::{BasisName, Method};
use super::super::ways::Common;
use crate::config::{Problem, Validate};

/// Which methods are measured on which shapes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CostConfig {
    /// Encoders with random weights.
    pub shape: Vec<Shape>,
    /// The methods.
    pub methods: Vec<Method>,
    /// Entries that SparseGrad trains, of all of an adapted matrix.
    pub fraction: f64,
    /// Coordinates that SparseGrad keeps, among which entries are chosen; 0 for as few as `fraction` needs.
    pub rank: usize,
    /// Sequences of a step.
    pub batch_size: usize,
    /// Tokens of a sequence.
    pub tokens: usize,
    /// Times that every method has its turn.
    pub rounds: usize,
    /// Steps of a turn whose time is taken; one goes before them.
    pub steps: usize,
}

/// An encoder by its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// Width 64, 2 blocks: for a look at all of it.
    Tiny,
    /// Width 256, 4 blocks.
    D256,
    /// all-MiniLM-L6: width 384, 6 blocks.
    Minilm,
    /// BERT-base: width 768, 12 blocks.
    BertBase,
}

impl Shape {
    /// The name in configs and results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tiny => "tiny",
            Self::D256 => "d256",
            Self::Minilm => "minilm",
            Self::BertBase => "bert-base",
        }
    }

    /// The encoder.
    pub(super) fn spec(self) -> TransformerSpec {
        let (vocab, d, layers, heads) = match self {
            Self::Tiny => (512, 64, 2, 4),
            Self::D256 => (8_192, 256, 4, 4),
            Self::Minilm => (30_522, 384, 6, 12),
            Self::BertBase => (30_522, 768, 12, 12),
        };
        TransformerSpec { token_types: 2, ..TransformerSpec::encoder(vocab, d, layers, heads) }
    }

    /// The head: BERT's.
    pub(super) fn head() -> ClassifierSpec {
        ClassifierSpec {
            n_classes: 2,
            pooling: Pooling::First,
            dense: Some(Activation::Tanh),
            bias: true,
            dropout: 0.0,
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Default for CostConfig {
    fn default() -> Self {
        Self {
            shape: vec![Shape::D256, Shape::Minilm, Shape::BertBase],
            methods: Method::ALL.to_vec(),
            fraction: 0.012,
            rank: 0,
            batch_size: 8,
            tokens: 128,
            rounds: 3,
            steps: 5,
        }
    }
}

impl CostConfig {
    /// What the methods have in common.
    pub(super) fn common(&self) -> Common {
        Common {
            targets: vec!["**.mlp.*".to_owned()],
            head: vec!["head.**".to_owned()],
            train_rest: false,
            fraction: self.fraction,
            rank: (self.rank > 0).then_some(self.rank),
            basis: BasisName::Paired,
            calibration_batches: 1,
            seed: 0,
        }
    }
}

impl Validate for CostConfig {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut require = |holds: bool, key: &str, message: &str| {
            if !holds {
                problems.push(Problem::new(key, message.to_owned()));
            }
        };
        require(!self.shape.is_empty(), "shape", "is empty");
        require(!self.methods.is_empty(), "methods", "is empty");
        require(self.batch_size > 0, "batch_size", "is 0");
        require((1..=512).contains(&self.tokens), "tokens", "is not within 1 and 512");
        require(self.rounds > 0, "rounds", "is 0");
        require(self.steps > 0, "steps", "is 0");
        problems.extend(twice("shape", &self.shape));
        problems.extend(twice("methods", &self.methods));
        problems.extend(fraction_problem("fraction", self.fraction));
        problems
    }
}
