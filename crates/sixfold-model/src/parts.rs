//! The replaceable parts of a transformer: token embeddings and projections.

use burn::module::{Module, ModuleDisplay, Param};
use burn::nn::{Embedding, Linear};
use burn::tensor::{Int, Tensor};

use crate::ops;

/// A map from `d_in` to `d_out` features: the place of every linear layer in a block.
///
/// SparseGrad, LoRA and MeProp are projections. `P` is one type for all projections of a
/// model, so a crate that adapts only some of them brings an enum with a plain variant.
pub trait Projection: Module + ModuleDisplay {
    /// Applies the map along the last axis.
    ///
    /// # Shapes
    /// `[.., d_in]` → `[.., d_out]`
    fn project<const D: usize>(&self, x: Tensor<D>) -> Tensor<D>;

    /// The derivative of [`project`](Self::project) at `x` in the direction `dx`, for forward
    /// mode with dual numbers.
    ///
    /// The default is that of an affine map, `project(dx) − project(0)`; a map that is not
    /// affine in `x` must bring its own.
    ///
    /// # Shapes
    /// `x`, `dx`: `[.., d_in]` → `[.., d_out]`
    fn tangent<const D: usize>(&self, x: Tensor<D>, dx: Tensor<D>) -> Tensor<D> {
        let _ = x;
        let origin =
            self.project(Tensor::<1>::zeros([dx.dims()[D - 1]], &dx.device()).unsqueeze::<D>());
        self.project(dx) - origin
    }
}

/// `y = x·W + b`, with W stored as `[d_in, d_out]`.
impl Projection for Linear {
    fn project<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        ops::linear(x, self.weight.val(), self.bias.as_ref().map(Param::val))
    }

    fn tangent<const D: usize>(&self, _: Tensor<D>, dx: Tensor<D>) -> Tensor<D> {
        ops::linear(dx, self.weight.val(), None)
    }
}

/// The table of token vectors, and what a head tied to it needs.
///
/// Tensor-train and tensor-ring tables are embeddings. The defaults of
/// [`cross_entropy`](Self::cross_entropy) and [`tangent`](Self::tangent) build on
/// [`logits`](Self::logits); a compressed table overrides them to avoid `[n, vocab]` tensors.
pub trait TokenEmbedding: Module + ModuleDisplay {
    /// Rows of the table.
    fn vocab_size(&self) -> usize;

    /// Length of a vector.
    fn d_embed(&self) -> usize;

    /// Looks vectors up. The ids must be below [`vocab_size`](Self::vocab_size): kernels on
    /// GPUs do not check them, so callers do.
    ///
    /// # Shapes
    /// `[batch, seq]` → `[batch, seq, d_embed]`
    fn embed(&self, ids: Tensor<2, Int>) -> Tensor<3>;

    /// The scores of a head tied to the table: `h·Eᵀ`.
    ///
    /// # Shapes
    /// `[.., d_embed]` → `[.., vocab]`
    fn logits<const D: usize>(&self, h: Tensor<D>) -> Tensor<D>;

    /// Cross-entropy of the tied head, one value a row: `log Σ_v exp(h·e_v) − h·e_t`.
    ///
    /// # Shapes
    /// `h`: `[n, d_embed]`, `targets`: `[n]` → `[n]`
    fn cross_entropy(&self, h: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
        cross_entropy(self.logits(h), targets)
    }

    /// The derivative of [`logits`](Self::logits) at `h` in the direction `dh`. Logits are
    /// linear in `h` by default.
    ///
    /// # Shapes
    /// `h`, `dh`: `[.., d_embed]` → `[.., vocab]`
    fn tangent<const D: usize>(&self, h: Tensor<D>, dh: Tensor<D>) -> Tensor<D> {
        let _ = h;
        self.logits(dh)
    }
}

impl TokenEmbedding for Embedding {
    fn vocab_size(&self) -> usize {
        self.weight.lazy_shape()[0]
    }

    fn d_embed(&self) -> usize {
        self.weight.lazy_shape()[1]
    }

    fn embed(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        ops::embedding(self.weight.val(), ids)
    }

    fn logits<const D: usize>(&self, h: Tensor<D>) -> Tensor<D> {
        ops::linear(h, self.weight.val().transpose(), None)
    }
}

/// Cross-entropy of logits, one value a row, in natural logarithms.
///
/// # Shapes
/// `logits`: `[n, classes]`, `targets`: `[n]`, below `classes` → `[n]`
pub fn cross_entropy(logits: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
    ops::cross_entropy(logits, targets, 0.0)
}
