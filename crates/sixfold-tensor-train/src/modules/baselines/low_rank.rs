//! A table of low rank.

use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor};
use sixfold_model::{Seed, TokenEmbedding, ops};

use super::{flat, normal};

/// W = A·B with A `[V, k]` and B `[k, D]`: (V + D)·k parameters.
///
/// # References
/// Lan et al., *ALBERT*, ICLR 2020, §3.1.
#[derive(Module, Debug)]
#[doc(alias = "ALBERT")]
pub struct LowRankEmbedding {
    /// A, `[V, k]`.
    pub rows: Param<Tensor<2>>,
    /// B, `[k, D]`.
    pub basis: Param<Tensor<2>>,
}

impl LowRankEmbedding {
    /// A random table whose entries have standard deviation `std`.
    pub fn new(
        [vocab, d_embed]: [usize; 2],
        rank: usize,
        std: f64,
        seed: Seed,
        device: &Device,
    ) -> Self {
        // An entry is a sum of k products.
        let each = (std / (rank as f64).sqrt()).sqrt();
        Self {
            rows: normal([vocab, rank], each, seed, "rows", device),
            basis: normal([rank, d_embed], each, seed, "basis", device),
        }
    }

    /// The largest rank with at most so many parameters, 1 at least.
    pub fn rank_within([vocab, d_embed]: [usize; 2], parameters: usize) -> usize {
        (parameters / (vocab + d_embed)).max(1)
    }
}

impl TokenEmbedding for LowRankEmbedding {
    fn vocab_size(&self) -> usize {
        self.rows.lazy_shape()[0]
    }

    fn d_embed(&self) -> usize {
        self.basis.lazy_shape()[1]
    }

    fn embed(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        ops::linear(ops::embedding(self.rows.val(), ids), self.basis.val(), None)
    }

    fn logits<const D: usize>(&self, h: Tensor<D>) -> Tensor<D> {
        let (h, shape) = flat(h, self.vocab_size());
        let low = ops::linear(h, self.basis.val().transpose(), None);
        ops::linear(low, self.rows.val().transpose(), None).reshape(shape)
    }
}
