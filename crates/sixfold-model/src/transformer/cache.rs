//! Keys and values of the tokens already seen.

use burn::tensor::{Int, Tensor};

use super::cross::{Memory, row_indices};

/// The keys and values that generation carries from one step to the next.
///
/// A cache belongs to one batch: its rows, and the order in which they came. Start with
/// [`KvCache::default`] for each generation; a decoder that reads an encoder starts with the
/// [`Memory`] of its sources: `KvCache::from(memory)`.
#[derive(Clone, Debug, Default)]
pub struct KvCache {
    pub(crate) layers: Vec<LayerCache>,
    /// Mask of all columns so far, one vector a row.
    pub(crate) mask: Vec<Vec<bool>>,
    /// What a decoder reads of its sources.
    pub(crate) memory: Option<Memory>,
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

    /// Goes on with these rows, in this order: a row may be taken several times, or never.
    ///
    /// # Panics
    /// If there is no such row, or none is taken.
    ///
    /// # Complexity
    /// Copies the keys and values of the rows taken; none where they are all rows in their order.
    /// Those of a source are left alone as long as its rows stay side by side.
    pub fn select(&mut self, rows: &[usize]) {
        let n = self.mask.len();
        assert!(!rows.is_empty(), "a cache needs at least one row");
        assert!(rows.iter().all(|&row| row < n), "rows {rows:?} of a cache of {n}");
        if rows.iter().copied().eq(0..n) {
            return;
        }
        self.memory = self.memory.take().map(|memory| memory.select(rows, n));
        self.mask = rows.iter().map(|&row| self.mask[row].clone()).collect();
        let Some(device) =
            self.layers.iter().find_map(|layer| layer.0.as_ref()).map(|kv| kv.0.device())
        else {
            return;
        };
        let indices = row_indices(rows, &device);
        for layer in &mut self.layers {
            layer.select(&indices);
        }
    }
}

impl From<Memory> for KvCache {
    /// An empty cache over these sources.
    fn from(memory: Memory) -> Self {
        Self { memory: Some(memory), ..Self::default() }
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

    fn select(&mut self, rows: &Tensor<1, Int>) {
        self.0 = self.0.take().map(|(k, v)| (k.select(0, rows.clone()), v.select(0, rows.clone())));
    }
}
