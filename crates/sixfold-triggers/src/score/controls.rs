//! What the same search finds by chance.

use ndarray::Array2;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::rank::token_scores;
use super::{Query, Scorer, TokenScores};
use crate::{Error, Forwards, Result};

/// Uniform scores: the search tries tokens drawn at random. It costs no forward.
///
/// ```
/// use sixfold_triggers::{RandomControl, Scorer};
///
/// assert_eq!(RandomControl.name(), "random");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RandomControl;

impl Scorer for RandomControl {
    fn name(&self) -> &'static str {
        "random"
    }

    fn cost(&self, _examples: usize) -> Forwards {
        Forwards(0.0)
    }

    fn score(&mut self, query: Query<'_>, rng: &mut ChaCha8Rng) -> Result<TokenScores> {
        let shape = (query.trigger.len(), query.allowed.len());
        let values = Array2::from_shape_simple_fn(shape, || rng.random());
        Ok(TokenScores { values, cost: Forwards(0.0) })
    }
}

/// Scores of a random direction instead of a gradient: S = g·Eᵀ with g ~ N(0, I) drawn for each place and update.
///
/// What it finds is owed to the geometry of the embeddings alone. It costs no forward.
///
/// # Shapes
/// The table E is `[vocab, d]`.
///
/// ```
/// use ndarray::Array2;
/// use sixfold_triggers::{GradRandomControl, Scorer};
///
/// let control = GradRandomControl::new(Array2::eye(4))?;
/// assert_eq!(control.name(), "gradient-random");
/// # Ok::<(), sixfold_triggers::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct GradRandomControl {
    table: Array2<f32>,
}

impl GradRandomControl {
    /// A control over the token embeddings of the model that is audited.
    ///
    /// # Errors
    /// [`Error::Empty`] for a table without entries, [`Error::NotFinite`] for one with a NaN or an infinity.
    pub fn new(table: Array2<f32>) -> Result<Self> {
        if table.is_empty() {
            return Err(Error::Empty { what: "token embedding" });
        }
        match table.iter().position(|value| !value.is_finite()) {
            Some(index) => Err(Error::NotFinite { what: "the token embedding", index }),
            None => Ok(Self { table }),
        }
    }
}

impl Scorer for GradRandomControl {
    fn name(&self) -> &'static str {
        "gradient-random"
    }

    fn cost(&self, _examples: usize) -> Forwards {
        Forwards(0.0)
    }

    fn score(&mut self, query: Query<'_>, rng: &mut ChaCha8Rng) -> Result<TokenScores> {
        if self.table.nrows() != query.allowed.len() {
            return Err(Error::Mismatch {
                what: "the table of token embeddings",
                expected: format!("{} rows", query.allowed.len()),
                found: self.table.nrows().to_string(),
            });
        }
        let shape = (query.trigger.len(), self.table.ncols());
        let directions = Array2::from_shape_simple_fn(shape, || StandardNormal.sample(rng));
        let values = token_scores(directions.view(), self.table.view());
        Ok(TokenScores { values, cost: Forwards(0.0) })
    }
}
