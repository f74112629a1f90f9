//! The last hidden states where they are asked for.

use burn::tensor::Tensor;

use super::{Block, State, Transformer};
use crate::batch::indices;
use crate::{Batch, Projection, Result, TokenEmbedding};

impl<E: TokenEmbedding, P: Projection> Transformer<E, P> {
    /// The last hidden state at one position of each row, after the final norm: that of
    /// [`forward`](Self::forward) there.
    ///
    /// # Shapes
    /// `[batch, seq]` → `[batch, d_output]`
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    ///
    /// # Panics
    /// As [`forward_from_at`](Self::forward_from_at).
    pub fn forward_at(&self, batch: &Batch, positions: &[usize]) -> Result<Tensor<2>> {
        let state = self.embed_with(batch, None, &mut ())?;
        Ok(self.forward_from_at(state, positions))
    }

    /// The last hidden state at one position of each row, from a state on the way.
    ///
    /// In the last block, queries and MLP of all other positions are left out where its attention
    /// sees all columns alike (no causal mask, no window, no rotation): of a block of an encoder
    /// nearly five sixths of the products, and as much of its backward pass.
    ///
    /// # Shapes
    /// `[batch, seq, d_model]` → `[batch, d_output]`
    ///
    /// # Panics
    /// If the positions are not as many as the rows, or one lies beyond them.
    pub fn forward_from_at(&self, state: State, positions: &[usize]) -> Tensor<2> {
        let [rows, len, _] = state.hidden.dims();
        assert_eq!(positions.len(), rows, "one position for each row");
        assert!(positions.iter().all(|&at| at < len), "positions {positions:?} of {len}");
        let flat: Vec<u32> =
            positions.iter().enumerate().map(|(row, &at)| (row * len + at) as u32).collect();
        let flat = indices(&flat, [rows], &state.hidden.device());
        let at = |x: Tensor<3>| {
            let [_, _, width] = x.dims();
            x.reshape([rows * len, width]).select(0, flat.clone()).reshape([rows, 1, width])
        };
        let last = match self.n_layers() {
            n if n == state.layer => at(state.hidden),
            n => {
                let layer = n - 1;
                let state = self.advance(state, layer, &mut ());
                let alike = !self.spec.causal
                    && self.spec.attention.window(layer).is_none()
                    && state.context.rotation.is_none();
                match &self.blocks[self.spec.schedule[layer]] {
                    Block::Full(full) if alike => {
                        full.forward_at(state.hidden, layer, &state.context, at)
                    }
                    Block::Affine(map) => map.project(at(state.hidden)),
                    Block::Full(_) => at(self.advance(state, n, &mut ()).hidden),
                }
            }
        };
        let last = self.finish(last, &mut ());
        let [_, _, width] = last.dims();
        last.reshape([rows, width])
    }
}
