//! Forward mode: the residual stream with its derivative in one direction.
//!
//! Values may be tracked by autodiff; tangents never are, so that one pass gives both the tape of
//! the values and `J·v` for a vector-Jacobian product that starts from it.

mod parts;

use burn::tensor::Tensor;

use super::context::Context;
use super::{Block, Transformer};
use crate::{Batch, Projection, Result, TokenEmbedding};

/// A tensor with its derivative in one direction: a dual number.
#[derive(Clone, Debug)]
pub struct Dual<const D: usize> {
    /// The value, tracked where the model and the inputs are.
    pub value: Tensor<D>,
    /// The derivative, of the same shape, never tracked.
    pub tangent: Tensor<D>,
}

impl<const D: usize> Dual<D> {
    /// A value and its derivative.
    ///
    /// # Panics
    /// If their shapes differ.
    pub fn new(value: Tensor<D>, tangent: Tensor<D>) -> Self {
        assert_eq!(value.dims(), tangent.dims(), "a derivative for each element");
        Self { value, tangent: tangent.inner() }
    }

    fn map(
        self,
        value: impl FnOnce(Tensor<D>) -> Tensor<D>,
        tangent: impl FnOnce(Tensor<D>) -> Tensor<D>,
    ) -> Self {
        Self { value: value(self.value), tangent: tangent(self.tangent) }
    }

    /// The value outside the tape.
    fn plain(&self) -> Tensor<D> {
        self.value.clone().inner()
    }
}

impl<const D: usize> std::ops::Add for Dual<D> {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { value: self.value + other.value, tangent: self.tangent + other.tangent }
    }
}

/// The residual stream somewhere between two blocks with its derivative, and what the remaining
/// blocks need.
#[derive(Clone, Debug)]
pub struct DualState {
    /// `[batch, seq, d_model]` each.
    pub hidden: Dual<3>,
    /// Blocks already passed.
    pub layer: usize,
    context: Context,
}

impl<E: TokenEmbedding, P: Projection> Transformer<E, P> {
    /// The state after the embeddings, and its derivative where the token vectors move in the
    /// direction `vectors.tangent`. `batch` gives mask, positions and token types.
    ///
    /// There is no dropout on this path, whatever the device.
    ///
    /// # Shapes
    /// `vectors`: `[batch, seq, d_embed]`
    ///
    /// # Errors
    /// As [`embed_vectors`](Self::embed_vectors); a decoder that reads an encoder has no such pass.
    ///
    /// # References
    /// Forward mode with dual numbers: Griewank and Walther, Evaluating Derivatives, §3.1.
    pub fn embed_dual(&self, batch: &Batch, vectors: Dual<3>) -> Result<DualState> {
        self.check(batch, None)?;
        let past = vec![0; batch.rows()];
        let context = self.context(batch.mask(), batch.rows(), 0, &vectors.value.device());
        let hidden = self.embed.dual(&self.spec, batch, vectors, &past)?;
        Ok(DualState { hidden, layer: 0, context })
    }

    /// The state before block `layer`, from one before it. `visit` sees the stream after each
    /// block that is passed, with the number of blocks before it: 1 after the first.
    ///
    /// # Panics
    /// If `layer` lies before the state, or there are fewer layers.
    ///
    /// # Complexity
    /// A forward pass of the values, and as many products again for the tangents.
    pub fn advance_dual(
        &self,
        state: DualState,
        layer: usize,
        visit: &mut dyn FnMut(usize, &Dual<3>),
    ) -> DualState {
        assert!(
            (state.layer..=self.n_layers()).contains(&layer),
            "layer {layer} is not within {}..={}",
            state.layer,
            self.n_layers()
        );
        let DualState { mut hidden, layer: first, context } = state;
        for index in first..layer {
            let window = self.spec.attention.window(index);
            hidden = match &self.blocks[self.spec.schedule[index]] {
                Block::Full(full) => full.dual(hidden, index, window, &context),
                Block::Affine(map) => parts::project(map, hidden),
            };
            visit(index + 1, &hidden);
        }
        DualState { hidden, layer, context }
    }

    /// The last hidden states and their derivative, after the final norm.
    ///
    /// # Shapes
    /// `[batch, seq, d_output]` each
    pub fn finish_dual(&self, state: DualState) -> Dual<3> {
        let state = self.advance_dual(state, self.n_layers(), &mut |_, _| ());
        let x = match &self.final_norm {
            Some(norm) => norm.dual(state.hidden),
            None => state.hidden,
        };
        match &self.project_back {
            Some(projection) => parts::project(projection, x),
            None => x,
        }
    }
}
