//! A table of products of two small ones.

use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor};
use sixfold_model::{Seed, TokenEmbedding, ops};

use super::{flat, normal};

/// Row v is the product, entry by entry, of row ⌊v/m⌋ of one table and row v mod m of another:
/// (⌈V/m⌉ + m)·D parameters, the fewest for m near √V. No two ids have the same pair.
///
/// # References
/// Shi et al., *Compositional Embeddings Using Complementary Partitions*, KDD 2020 (arXiv 1909.02107).
#[derive(Module, Debug)]
#[doc(alias = "QREmbedding")]
pub struct QuotientRemainderEmbedding {
    /// `[⌈V/m⌉, D]`
    pub quotients: Param<Tensor<2>>,
    /// `[m, D]`
    pub remainders: Param<Tensor<2>>,
    vocab: usize,
}

impl QuotientRemainderEmbedding {
    /// A random table with `divisor` = m, whose entries have standard deviation `std`.
    ///
    /// # Panics
    /// If the divisor is 0.
    pub fn new(
        [vocab, d_embed]: [usize; 2],
        divisor: usize,
        std: f64,
        seed: Seed,
        device: &Device,
    ) -> Self {
        assert!(divisor > 0, "ids are divided by m ≥ 1");
        let each = std.sqrt();
        let quotients = vocab.div_ceil(divisor);
        Self {
            quotients: normal([quotients, d_embed], each, seed, "quotients", device),
            remainders: normal([divisor, d_embed], each, seed, "remainders", device),
            vocab,
        }
    }

    fn divisor(&self) -> usize {
        self.remainders.lazy_shape()[0]
    }
}

impl TokenEmbedding for QuotientRemainderEmbedding {
    fn vocab_size(&self) -> usize {
        self.vocab
    }

    fn d_embed(&self) -> usize {
        self.remainders.lazy_shape()[1]
    }

    fn embed(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        let m = self.divisor() as i64;
        let remainders = ids.clone().remainder_scalar(m);
        let quotients = (ids - remainders.clone()).div_scalar(m);
        ops::embedding(self.quotients.val(), quotients)
            * ops::embedding(self.remainders.val(), remainders)
    }

    fn logits<const D: usize>(&self, h: Tensor<D>) -> Tensor<D> {
        let (h, shape) = flat(h, self.vocab);
        let [n, d] = h.dims();
        let m = self.divisor();
        // [n, m, D]: the states times each row of remainders, and then with all quotients.
        let by_remainder = h.unsqueeze_dim::<3>(1) * self.remainders.val().unsqueeze_dim(0);
        let quotients = self.quotients.val();
        let all = quotients.dims()[0];
        let products = by_remainder.reshape([n * m, d]).matmul(quotients.transpose());
        let logits = products.reshape([n, m, all]).swap_dims(1, 2).reshape([n, all * m]);
        logits.narrow(1, 0, self.vocab).reshape(shape)
    }
}
