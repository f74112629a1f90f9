//! What stochastic training gives.

use ndarray::Array2;

use crate::{FixedRank, Result, Vocabulary, WordVectors};

/// Vectors of words and of contexts: X = W·Cᵀ.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SgdFit {
    /// W, `[n, d]`.
    pub words: Array2<f32>,
    /// C, `[n, d]`.
    pub contexts: Array2<f32>,
    /// Whether the last epoch was finished.
    pub finished: bool,
}

impl SgdFit {
    /// The rows of W as word vectors, as word2vec has them.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`](crate::Error::ShapeMismatch) for a vocabulary of another size.
    pub fn vectors(&self, vocabulary: Vocabulary) -> Result<WordVectors> {
        WordVectors::new(vocabulary, self.words.clone())
    }

    /// X as a matrix of a fixed rank, for the objective and for solvers that go on from here.
    ///
    /// # Errors
    /// Those of [`FixedRank::from_product`].
    pub fn point(&self) -> Result<FixedRank<f32>> {
        FixedRank::from_product(self.words.view(), self.contexts.view())
    }
}
