//! LayerNorm and RMSNorm as one module.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use super::init::Init;
use crate::{NormKind, ops};

/// A norm over the last axis.
///
/// Layer: `γ(x − mean)/√(var + ε) + β`; RMS (arXiv 1910.07467): `γx/√(mean(x²) + ε)`.
#[derive(Module, Debug)]
pub struct Norm {
    /// Gain γ, `[features]`.
    pub gamma: Param<Tensor<1>>,
    /// Offset β, `[features]`; none for RMS.
    pub beta: Option<Param<Tensor<1>>>,
    pub(super) epsilon: f64,
    #[module(skip)]
    pub(super) kind: NormKind,
}

impl Norm {
    pub(crate) fn new(init: &Init<'_>, kind: NormKind, epsilon: f64, features: usize) -> Self {
        Self {
            gamma: init.constant(1.0, features),
            beta: (kind == NormKind::Layer).then(|| init.constant(0.0, features)),
            epsilon,
            kind,
        }
    }

    /// Applies the norm.
    ///
    /// # Shapes
    /// `[.., features]` → the same
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        match self.kind {
            NormKind::Layer => {
                let beta = self.beta.as_ref().map(Param::val);
                ops::layer_norm(x, self.gamma.val(), beta, self.epsilon)
            }
            NormKind::Rms => ops::rms_norm(x, self.gamma.val(), self.epsilon),
        }
    }
}
