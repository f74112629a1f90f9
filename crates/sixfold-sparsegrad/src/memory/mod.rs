//! What a fine-tuning will need of memory, before it runs.
//!
//! With P parameters of the model, Q of them in adapted matrices, k kept entries and touched entries of
//! each matrix, in bytes:
//!
//! | method | weights and values | gradients | moments | indices | bases |
//! |---|---|---|---|---|---|
//! | full | 4·P | 4·P | 8·P | | |
//! | LoRA, rank r | w·P + 4·r·Σ(d_in + d_out) | 4 each | 8 each | | |
//! | LoRA-XS | w·P + 4·r² each | 4·r² | 8·r² | | 2·r·Σ(d_in + d_out) |
//! | MeProp | 4·Q + w·(P − Q) | 4·Q | 8·Q | | |
//! | SparseGrad's own code | as above | as above | as above | | 4·Σ_groups(d_in² + d_out²) |
//! | adapter | w·P + 4·k | 4·k | 8·k | 4·k | 2·Σ_groups(d_in·r_in + d_out·r_out) |
//! | in place | 4·Q + w·(P − Q) + 8·k | 4·k | 8·k | 4·k | as an adapter |
//! | paper | 4·Q + w·(P − Q) | 4·k | 8·touched | 4·k + 4·touched | 4·Σ_groups(d_in² + d_out²) |
//!
//! w is 4 or 2, the type of frozen weights. Where the rest of the model is trained, its P − Q
//! parameters have 4 + 4 + 8 bytes in every method. A full core needs no indices. In place, a matrix
//! remembers what was already applied of its values, so that it can be taken out again.

mod method;
mod plan;
mod summary;

use serde::{Deserialize, Serialize};

pub use method::{Form, Kept, Method};
pub use plan::Plan;
pub use summary::{Summary, SummaryRow};

use crate::{Error, Result};

/// A matrix that is adapted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatrixShape {
    /// Its path.
    pub path: String,
    /// Inputs.
    pub d_in: usize,
    /// Outputs.
    pub d_out: usize,
    /// Name of the basis, which all matrices of the group share: `blocks.0-1.mlp.up`.
    pub group: String,
}

impl MatrixShape {
    /// A matrix of a group.
    pub fn new(
        path: impl Into<String>,
        [d_in, d_out]: [usize; 2],
        group: impl Into<String>,
    ) -> Self {
        Self { path: path.into(), d_in, d_out, group: group.into() }
    }

    /// Entries, d_in·d_out.
    pub fn len(&self) -> usize {
        self.d_in * self.d_out
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The type of frozen weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BaseType {
    /// Single precision.
    #[default]
    F32,
    /// Either half precision.
    Half,
}

impl BaseType {
    /// Bytes of a weight.
    pub fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::Half => 2,
        }
    }
}

/// What is to be planned.
///
/// ```
/// use sixfold_sparsegrad::config::Sharing;
/// use sixfold_sparsegrad::memory::{Form, Kept, MatrixShape, Method, Workload};
///
/// // The MLPs of BERT-base, 56.6 of 109.5 million parameters.
/// let blocks = 0..12;
/// let pair = |i: usize, kind: &str| Sharing::default().name(&format!("blocks.{i}.mlp.{kind}"));
/// let up = |i| MatrixShape::new(format!("blocks.{i}.mlp.up"), [768, 3072], pair(i, "up"));
/// let down = |i| MatrixShape::new(format!("blocks.{i}.mlp.down"), [3072, 768], pair(i, "down"));
/// let matrices = blocks.clone().map(up).chain(blocks.map(down)).collect();
/// let work = Workload { matrices, rest: 52_859_136, tokens: 32 * 128, ..Workload::default() };
///
/// let (form, kept) = (Form::Adapter, Kept::Core);
/// let ours = work.plan(Method::Sparse { form, r_in: 168, r_out: 168, kept })?;
/// let full = work.plan(Method::Full)?;
/// assert_eq!(full.persistent() >> 20, 1670);
/// assert_eq!(ours.persistent() >> 20, 442);
/// # Ok::<(), sixfold_sparsegrad::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workload {
    /// The matrices that are adapted.
    pub matrices: Vec<MatrixShape>,
    /// Parameters of the model beside them.
    pub rest: usize,
    /// Whether the rest is trained, densely.
    pub rest_trained: bool,
    /// Tokens of a batch.
    pub tokens: usize,
    /// The type of weights that are frozen.
    pub base: BaseType,
}

impl Workload {
    /// All parameters of the model, P.
    pub fn parameters(&self) -> usize {
        self.rest + self.adapted()
    }

    /// Parameters of the adapted matrices, Q.
    pub fn adapted(&self) -> usize {
        self.matrices.iter().map(MatrixShape::len).sum()
    }

    /// The bytes of a method.
    ///
    /// # Errors
    /// [`Error::Config`], with all that is wrong: empty matrices, matrices of one group with different
    /// shapes, ranks or entries that are 0 or more than there are.
    pub fn plan(&self, method: Method) -> Result<Plan> {
        let problems = self.problems(&method);
        if problems.is_empty() {
            Ok(Plan::new(self, method))
        } else {
            Err(Error::Config { problems })
        }
    }

    /// What a method trains, by group.
    ///
    /// # Errors
    /// Those of [`plan`](Self::plan).
    #[doc(alias = "print_trainable_parameters")]
    pub fn summary(&self, method: Method) -> Result<Summary> {
        let problems = self.problems(&method);
        if problems.is_empty() {
            Ok(Summary::new(self, method))
        } else {
            Err(Error::Config { problems })
        }
    }

    fn problems(&self, method: &Method) -> Vec<String> {
        let mut problems = Vec::new();
        for matrix in &self.matrices {
            let MatrixShape { path, d_in, d_out, group } = matrix;
            if matrix.is_empty() {
                problems.push(format!("`{path}` is {d_in} × {d_out}, expected entries"));
                continue;
            }
            // There is one at least: this matrix.
            let first = self.matrices.iter().find(|other| other.group == *group);
            let Some(first) = first.filter(|first| first.path != *path) else {
                problems.extend(method.problem(matrix).map(|it| format!("`{path}`: {it}")));
                continue;
            };
            if (first.d_in, first.d_out) != (*d_in, *d_out) {
                let (rows, columns) = (first.d_in, first.d_out);
                problems.push(format!(
                    "`{path}` is {d_in} × {d_out}, but `{}` of the same group `{group}` is {rows} × {columns}",
                    first.path
                ));
            }
        }
        problems
    }
}
