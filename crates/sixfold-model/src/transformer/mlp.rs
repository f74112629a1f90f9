//! The MLP of a block, plain or gated.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;

use super::init::Init;
use crate::{Activation, Projection, TransformerSpec, ops};

/// `down(act(up(x)))`, or `down(act(gate(x)) ⊙ up(x))` where there is a gate (arXiv 2002.05202).
#[derive(Module, Debug)]
pub struct Mlp<P: Projection> {
    /// The gate: `d_model` → `d_hidden`.
    pub gate: Option<P>,
    /// `d_model` → `d_hidden`.
    pub up: P,
    /// `d_hidden` → `d_model`.
    pub down: P,
    #[module(skip)]
    pub(super) activation: Activation,
}

impl Mlp<Linear> {
    pub(crate) fn new(spec: &TransformerSpec, init: &Init<'_>, path: &str) -> Self {
        let (d_model, mlp) = (spec.d_model, spec.mlp);
        let up =
            |name: &str| init.linear(&format!("{path}.{name}"), d_model, mlp.d_hidden, mlp.bias);
        Self {
            gate: mlp.gated.then(|| up("gate")),
            up: up("up"),
            down: init.linear(&format!("{path}.down"), mlp.d_hidden, d_model, mlp.bias),
            activation: mlp.activation,
        }
    }
}

impl<P: Projection> Mlp<P> {
    /// Replaces the projections, given their paths below `path`.
    pub(crate) fn map_projections<Q: Projection>(
        self,
        path: &str,
        f: &mut impl FnMut(&str, P) -> Q,
    ) -> Mlp<Q> {
        Mlp {
            gate: self.gate.map(|gate| f(&format!("{path}.gate"), gate)),
            up: f(&format!("{path}.up"), self.up),
            down: f(&format!("{path}.down"), self.down),
            activation: self.activation,
        }
    }

    /// What the MLP adds to the residual stream.
    ///
    /// # Shapes
    /// `[batch, seq, d_model]` → the same
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let hidden = match &self.gate {
            None => self.activation.apply(self.up.project(x)),
            Some(gate) => self.activation.apply(gate.project(x.clone())) * self.up.project(x),
        };
        self.down.project(hidden)
    }
}

impl Activation {
    /// Applies it to every element.
    pub fn apply<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        ops::activate(x, self)
    }
}
