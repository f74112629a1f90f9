//! Dual numbers through each part of a block. Every function here mirrors the `forward` of its
//! part; `tests/it/dual.rs` holds the values to it and the tangents to central differences.

use burn::tensor::Tensor;

use super::Dual;
use crate::ops;
use crate::transformer::context::Context;
use crate::transformer::embeddings::Embeddings;
use crate::transformer::{Attention, FullBlock, Mlp, Norm};
use crate::{
    Activation, Batch, BlockForm, NormKind, Projection, Result, TokenEmbedding, TransformerSpec,
};

/// A projection, whose own `tangent` runs on the device of its weights.
pub(crate) fn project<P: Projection, const D: usize>(projection: &P, x: Dual<D>) -> Dual<D> {
    let tangent = if x.value.device().is_autodiff() {
        let (value, tangent) = (x.value.clone().detach(), Tensor::from_inner(x.tangent));
        projection.tangent(value, tangent).inner()
    } else {
        projection.tangent(x.value.clone(), x.tangent)
    };
    Dual { value: projection.project(x.value), tangent }
}

/// An activation of every element.
pub(crate) fn activate<const D: usize>(activation: Activation, x: Dual<D>) -> Dual<D> {
    let tangent = ops::activate_tangent(x.plain(), x.tangent, activation);
    Dual { value: activation.apply(x.value), tangent }
}

impl Norm {
    pub(super) fn dual<const D: usize>(&self, x: Dual<D>) -> Dual<D> {
        let (plain, gamma) = (x.plain(), self.gamma.val().inner());
        let tangent = match self.kind {
            NormKind::Layer => ops::layer_norm_tangent(plain, x.tangent, gamma, self.epsilon),
            NormKind::Rms => ops::rms_norm_tangent(plain, x.tangent, gamma, self.epsilon),
        };
        Dual { value: self.forward(x.value), tangent }
    }
}

impl<E: TokenEmbedding> Embeddings<E> {
    /// Positions and types shift the values and leave tangents alone; scale, norm and projection
    /// act on both.
    pub(super) fn dual(
        &self,
        spec: &TransformerSpec,
        batch: &Batch,
        vectors: Dual<3>,
        past: &[u32],
    ) -> Result<Dual<3>> {
        let mut x = match spec.embed_scale {
            Some(scale) => vectors.map(|x| x * scale, |dx| dx * scale),
            None => vectors,
        };
        let project_first = spec.embed_projection.is_some_and(|p| !p.after_norm);
        if let (true, Some(projection)) = (project_first, &self.projection) {
            x = project(projection, x);
        }
        x.value = self.add_tables(spec, batch, x.value, past)?;
        if let Some(norm) = &self.norm {
            x = norm.dual(x);
        }
        Ok(match (project_first, &self.projection) {
            (false, Some(projection)) => project(projection, x),
            _ => x,
        })
    }
}

impl<P: Projection> Mlp<P> {
    fn dual(&self, x: Dual<3>) -> Dual<3> {
        let hidden = match &self.gate {
            None => activate(self.activation, project(&self.up, x)),
            Some(gate) => {
                let gate = activate(self.activation, project(gate, x.clone()));
                let up = project(&self.up, x);
                let tangent = gate.tangent * up.plain() + gate.value.clone().inner() * up.tangent;
                Dual { value: gate.value * up.value, tangent }
            }
        };
        project(&self.down, hidden)
    }
}

impl<P: Projection> Attention<P> {
    fn dual(&self, x: Dual<3>, layer: usize, window: Option<usize>, context: &Context) -> Dual<3> {
        let mut q = project(&self.query, x.clone());
        let mut k = project(&self.key, x.clone());
        let v = project(&self.value, x);
        if let (Some(query_norm), Some(key_norm)) = (&self.query_norm, &self.key_norm) {
            q = self.dual_norm(query_norm, q, self.n_heads);
            k = self.dual_norm(key_norm, k, self.n_kv_heads);
        }
        if let Some(rotation) = &context.rotation {
            let plain = rotation.inner();
            let rotated = |x: Dual<3>, heads| {
                x.map(|x| rotation.apply(x, heads), |dx| plain.apply(dx, heads))
            };
            (q, k) = (rotated(q, self.n_heads), rotated(k, self.n_kv_heads));
        }
        let form = self.form(layer, window, context);
        let tangent = ops::attention_tangent(
            [q.plain(), k.plain(), v.plain()],
            [q.tangent, k.tangent, v.tangent],
            context.bias.clone().inner(),
            form,
        );
        let value = ops::attention(q.value, k.value, v.value, context.bias.clone(), form);
        project(&self.output, Dual { value, tangent })
    }

    /// A norm within each head.
    fn dual_norm(&self, norm: &Norm, x: Dual<3>, n_heads: usize) -> Dual<3> {
        let [batch, seq, width] = x.value.dims();
        let heads = [batch, seq, n_heads, self.d_head];
        let x = Dual { value: x.value.reshape(heads), tangent: x.tangent.reshape(heads) };
        let x = norm.dual(x);
        let flat = [batch, seq, width];
        Dual { value: x.value.reshape(flat), tangent: x.tangent.reshape(flat) }
    }
}

impl<P: Projection> FullBlock<P> {
    /// # Panics
    /// If the block has cross-attention: the transformer refuses such a pass before.
    pub(super) fn dual(
        &self,
        x: Dual<3>,
        layer: usize,
        window: Option<usize>,
        context: &Context,
    ) -> Dual<3> {
        assert!(self.cross.is_none(), "no dual numbers through cross-attention");
        let second_norm =
            |x| self.norm_2.as_ref().expect("every form that asks for it has one").dual(x);
        let normed = match self.form {
            BlockForm::PostNorm => x.clone(),
            _ => self.norm_1.dual(x.clone()),
        };
        let added = self.attention.dual(normed.clone(), layer, window, context);
        match self.form {
            BlockForm::PreNorm => {
                let x = x + added;
                x.clone() + self.mlp.dual(second_norm(x))
            }
            BlockForm::PreNormResidual => {
                let normed = second_norm(normed + added);
                normed.clone() + self.mlp.dual(normed)
            }
            BlockForm::PostNorm => {
                let x = self.norm_1.dual(x + added);
                second_norm(x.clone() + self.mlp.dual(x))
            }
            BlockForm::Parallel => x.clone() + added + self.mlp.dual(second_norm(x)),
            BlockForm::ParallelSharedNorm => x + added + self.mlp.dual(normed),
        }
    }
}
