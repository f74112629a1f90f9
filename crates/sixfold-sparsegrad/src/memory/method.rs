//! The methods that are compared.

use serde::{Deserialize, Serialize};

use super::MatrixShape;

/// How the adapted matrices are trained.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Method {
    /// All of them, by a dense Adam; the rest of the model as well.
    Full,
    /// LoRA.
    Lora {
        /// Rank.
        rank: usize,
    },
    /// LoRA-XS: singular vectors of each matrix, and a core between them.
    LoraXs {
        /// Rank.
        rank: usize,
    },
    /// The paper's MeProp: gradients are masked and stay dense, and so does Adam.
    MeProp,
    /// SparseGrad's own code: dense throughout, and full bases.
    Reference,
    /// Entries of a truncated core that are chosen once, this crate's default.
    Sparse {
        /// Where the update is kept.
        form: Form,
        /// Coordinates of the inputs.
        r_in: usize,
        /// Coordinates of the outputs.
        r_out: usize,
        /// Entries that are trained.
        kept: Kept,
    },
    /// The paper's SparseGrad on compact state: full bases, entries chosen at each step.
    Dynamic {
        /// Entries of a step.
        kept: Kept,
        /// Entries that have moments: the cap of the table, or what is expected to be touched.
        touched: Kept,
        /// Bytes of an entry of the table: 12 for index and Adam's moments, 8 for index and momentum,
        /// and 4 more for each count of steps.
        entry_bytes: usize,
    },
}

/// Where the update of a matrix is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Beside the weights, which are frozen.
    Adapter,
    /// In the weights, which are single precision.
    InPlace,
}

/// A number of entries of a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kept {
    /// This many.
    Entries(usize),
    /// Of all entries of the matrix, d_in·d_out.
    Fraction(f64),
    /// The whole core, which needs no indices.
    Core,
}

impl Kept {
    /// Entries of a matrix whose core has `core` of them.
    pub(super) fn count(self, matrix: &MatrixShape, core: usize) -> usize {
        match self {
            Self::Entries(entries) => entries,
            Self::Fraction(fraction) => (fraction * matrix.len() as f64).round() as usize,
            Self::Core => core,
        }
    }

    fn problem(self, what: &str, matrix: &MatrixShape, core: usize) -> Option<String> {
        let count = self.count(matrix, core);
        let wrong = count == 0 || count > core;
        wrong.then(|| format!("{what} is {count}, expected 1 to {core} entries of the core"))
    }
}

impl Method {
    /// Trained numbers of a matrix.
    pub fn trained(&self, matrix: &MatrixShape) -> usize {
        let sides = matrix.d_in + matrix.d_out;
        match *self {
            Self::Full | Self::MeProp | Self::Reference => matrix.len(),
            Self::Lora { rank } => rank * sides,
            Self::LoraXs { rank } => rank * rank,
            Self::Sparse { r_in, r_out, kept, .. } => kept.count(matrix, r_in * r_out),
            Self::Dynamic { kept, .. } => kept.count(matrix, matrix.len()),
        }
    }

    /// What of its numbers does not fit a matrix.
    pub(super) fn problem(&self, matrix: &MatrixShape) -> Option<String> {
        let rank = |what: &str, rank: usize, most: usize| {
            let wrong = rank == 0 || rank > most;
            wrong.then(|| format!("{what} is {rank}, expected 1 to {most}"))
        };
        let smaller = matrix.d_in.min(matrix.d_out);
        match *self {
            Self::Full | Self::MeProp | Self::Reference => None,
            Self::Lora { rank: r } | Self::LoraXs { rank: r } => rank("rank", r, smaller),
            Self::Sparse { r_in, r_out, kept, .. } => rank("r_in", r_in, matrix.d_in)
                .or_else(|| rank("r_out", r_out, matrix.d_out))
                .or_else(|| kept.problem("k", matrix, r_in * r_out)),
            Self::Dynamic { kept, touched, entry_bytes } => {
                let (k, table) =
                    (kept.count(matrix, matrix.len()), touched.count(matrix, matrix.len()));
                kept.problem("k", matrix, matrix.len())
                    .or_else(|| touched.problem("touched", matrix, matrix.len()))
                    .or_else(|| {
                        (table < k).then(|| format!("{table} are touched, fewer than k = {k}"))
                    })
                    .or_else(|| {
                        let wrong = !matches!(entry_bytes, 8 | 12 | 16 | 20);
                        wrong.then(|| {
                            format!("entry_bytes is {entry_bytes}, expected 8, 12, 16 or 20")
                        })
                    })
            }
        }
    }
}
