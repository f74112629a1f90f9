//! The config of `tensor-train/compress`.

use serde::{Deserialize, Serialize};

use crate::config::{Problem, Validate};
use crate::data::{GlueTask, Input, InputKind, Split};
use crate::experiments::linearity::ModelConfig;
use crate::experiments::profile::TextConfig;

/// Which table, how small, in which orders.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CompressConfig {
    /// The model whose token table is compressed.
    pub model: ModelConfig,
    /// A table in a file, instead of a model's.
    pub table: TableRef,
    /// Cores of a tensor train.
    pub cores: usize,
    /// The largest ranks of the trains.
    pub ranks: Vec<usize>,
    /// Relative errors that trains must keep, each with the ranks that it takes.
    pub eps: Vec<f64>,
    /// Orders of the vocabulary.
    pub order: Vec<OrderName>,
    /// What tokens are counted in, for the order by frequency.
    pub text: TextConfig,
    /// Where pairs of sentences lie that people scored; without it there is no similarity.
    pub glue: GlueRef,
}

/// A matrix file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TableRef {
    /// The file: npy or safetensors. Empty for the model's table.
    pub path: String,
    /// The tensor, in a file of several.
    pub tensor: String,
}

/// The tasks of GLUE.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GlueRef {
    /// Their directory. Empty to measure no similarity.
    pub dir: String,
}

/// An order of a vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderName {
    /// As the tokenizer numbers its tokens.
    Identity,
    /// The most frequent token first.
    Frequency,
    /// Tokens with like rows together.
    Cluster,
}

impl OrderName {
    /// The name in configs and results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Frequency => "frequency",
            Self::Cluster => "cluster",
        }
    }
}

impl Default for CompressConfig {
    fn default() -> Self {
        Self {
            model: ModelConfig::default(),
            table: TableRef::default(),
            cores: 3,
            ranks: vec![16, 32, 64],
            eps: Vec::new(),
            order: vec![OrderName::Identity, OrderName::Frequency, OrderName::Cluster],
            text: TextConfig::default(),
            glue: GlueRef::default(),
        }
    }
}

impl CompressConfig {
    fn has_model(&self) -> bool {
        self.table.path.is_empty()
    }

    /// Whether tokens have to be counted.
    pub(super) fn counts(&self) -> bool {
        self.order.contains(&OrderName::Frequency)
    }

    /// The files that have to be there.
    pub(super) fn inputs(&self) -> Vec<Input> {
        let mut inputs = Vec::new();
        if self.has_model() {
            inputs.push(self.model.input());
        } else {
            inputs.push(Input::new(InputKind::File, "table.path", &self.table.path));
        }
        if self.counts() {
            inputs.push(self.text.input("text"));
        }
        if !self.glue.dir.is_empty() {
            let path = GlueTask::Stsb.path(self.glue.dir.as_ref(), Split::Dev);
            inputs.push(Input::new(InputKind::File, "glue.dir", path.to_string_lossy()));
        }
        inputs
    }
}

impl Validate for CompressConfig {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.has_model() {
            problems.extend(self.model.problems());
        } else if !self.glue.dir.is_empty() {
            let message = "is given, but a table in a file has no model that reads sentences";
            problems.push(Problem::new("glue.dir", message));
        }
        if !self.has_model() && self.counts() {
            let message = "has `frequency`, but a table in a file has no tokenizer to count with";
            problems.push(Problem::new("order", message));
        }
        if self.counts() {
            problems.extend(self.text.problems("text"));
        }
        if !(2..=8).contains(&self.cores) {
            problems.push(Problem::new("cores", format!("{}, expected 2 to 8", self.cores)));
        }
        if self.ranks.is_empty() && self.eps.is_empty() {
            problems
                .push(Problem::new("ranks", "is empty, and so is `eps`: nothing to compress to"));
        }
        if self.ranks.contains(&0) {
            problems.push(Problem::new("ranks", "has a 0; ranks begin at 1"));
        }
        if self.eps.iter().any(|eps| !(0.0..1.0).contains(eps)) {
            problems.push(Problem::new("eps", "has a number that is not between 0 and 1"));
        }
        if self.order.is_empty() {
            problems.push(Problem::new("order", "is empty; `identity` is the plainest"));
        }
        problems
    }
}
