//! Keys and values of the tokens already seen.

use burn::tensor::Tensor;

/// The keys and values that generation carries from one step to the next.
///
/// A cache belongs to one batch: its rows, and the order in which they came. Start with
/// [`KvCache::default`] for each generation.
#[derive(Clone, Debug, Default)]
pub struct KvCache {
    pub(crate) layers: Vec<LayerCache>,
    /// Mask of all columns so far, one vector a row.
    pub(crate) mask: Vec<Vec<bool>>,
}

impl KvCache {
    /// Columns seen so far, padding included.
    #[expect(clippy::len_without_is_empty, reason = "a fresh cache is made, not tested for")]
    pub fn len(&self) -> usize {
        self.mask.first().map_or(0, Vec::len)
    }

    /// Tokens seen so far in each row, padding not counted.
    pub fn tokens(&self) -> Vec<u32> {
        self.mask.iter().map(|row| row.iter().filter(|&&token| token).count() as u32).collect()
    }
}

/// Keys and values of one layer, `[batch, len, n_kv_heads · d_head]` each.
#[derive(Clone, Debug, Default)]
pub(crate) struct LayerCache(Option<(Tensor<3>, Tensor<3>)>);

impl LayerCache {
    /// Appends, and returns all so far.
    pub(crate) fn extend(&mut self, k: Tensor<3>, v: Tensor<3>) -> (Tensor<3>, Tensor<3>) {
        let all = match self.0.take() {
            None => (k, v),
            Some((past_k, past_v)) => {
                (Tensor::cat(vec![past_k, k], 1), Tensor::cat(vec![past_v, v], 1))
            }
        };
        self.0 = Some(all.clone());
        all
    }
}
