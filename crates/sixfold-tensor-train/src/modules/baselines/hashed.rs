//! A table whose rows are shared at random.

use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor, TensorData};
use sixfold_model::{Seed, TokenEmbedding, ops};

use super::{flat, normal};

/// Hash functions.
const HASHES: usize = 2;

/// Row v is p_1·B[h_1(v)] + p_2·B[h_2(v)], with two buckets of B that a hash gives, and weights p of its own:
/// buckets·D + 2·V parameters.
///
/// # References
/// Svenstrup et al., *Hash Embeddings for Efficient Word Representations*, NIPS 2017 (arXiv 1709.03933).
#[derive(Module, Debug)]
pub struct HashEmbedding {
    /// B, `[buckets, D]`.
    pub buckets: Param<Tensor<2>>,
    /// p, `[V, 2]`.
    pub importance: Param<Tensor<2>>,
    /// Where the hashes begin.
    seed: usize,
}

impl HashEmbedding {
    /// A random table whose entries have standard deviation `std`.
    pub fn new(
        [vocab, d_embed]: [usize; 2],
        buckets: usize,
        std: f64,
        seed: Seed,
        device: &Device,
    ) -> Self {
        // The weights begin with a deviation of 1 and the buckets with std/√2, so that the sum of two
        // products has `std`.
        let of_buckets = std / (HASHES as f64).sqrt();
        Self {
            buckets: normal([buckets, d_embed], of_buckets, seed, "buckets", device),
            importance: normal([vocab, HASHES], 1.0, seed, "importance", device),
            seed: seed.derive("hashes").value() as usize,
        }
    }

    /// The most buckets with at most so many parameters, 1 at least.
    pub fn buckets_within([vocab, d_embed]: [usize; 2], parameters: usize) -> usize {
        (parameters.saturating_sub(HASHES * vocab) / d_embed).max(1)
    }

    /// The buckets of an id.
    fn hashes(&self, id: u64) -> [usize; HASHES] {
        let buckets = self.buckets.lazy_shape()[0] as u64;
        std::array::from_fn(|i| {
            // The finaliser of SplitMix64.
            let mut x = id.wrapping_add((self.seed as u64).wrapping_mul(i as u64 + 1));
            x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((x ^ (x >> 31)) % buckets) as usize
        })
    }

    /// The i-th buckets of ids.
    fn buckets_of<const D: usize>(
        &self,
        ids: &[i64],
        shape: [usize; D],
        i: usize,
        device: &Device,
    ) -> Tensor<D, Int> {
        let buckets: Vec<i32> = ids.iter().map(|id| self.hashes(*id as u64)[i] as i32).collect();
        Tensor::from_data(TensorData::new(buckets, shape), device)
    }
}

impl TokenEmbedding for HashEmbedding {
    fn vocab_size(&self) -> usize {
        self.importance.lazy_shape()[0]
    }

    fn d_embed(&self) -> usize {
        self.buckets.lazy_shape()[1]
    }

    fn embed(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        let (shape, device) = (ids.dims(), ids.device());
        let on_host: Vec<i64> = ids.to_data().iter::<i64>().collect();
        let importance = ops::embedding(self.importance.val(), ids);
        let part = |i: usize| {
            let buckets = self.buckets_of(&on_host, shape, i, &device);
            ops::embedding(self.buckets.val(), buckets) * importance.clone().narrow(2, i, 1)
        };
        part(0) + part(1)
    }

    fn logits<const D: usize>(&self, h: Tensor<D>) -> Tensor<D> {
        let (h, shape) = flat(h, self.vocab_size());
        let device = h.device();
        let ids: Vec<i64> = (0..self.vocab_size() as i64).collect();
        let products = ops::linear(h, self.buckets.val().transpose(), None);
        let importance = self.importance.val();
        let part = |i: usize| {
            let buckets = self.buckets_of(&ids, [ids.len()], i, &device);
            let weights = importance.clone().narrow(1, i, 1).transpose();
            products.clone().select(1, buckets) * weights
        };
        (part(0) + part(1)).reshape(shape)
    }
}
