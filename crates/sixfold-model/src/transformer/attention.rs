//! Multi-head attention with grouped heads.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;

use super::cache::LayerCache;
use super::context::Context;
use super::dropout::Dropout;
use super::init::Init;
use super::norm::Norm;
use crate::ops::{self, AttentionForm};
use crate::{NormKind, Projection, TransformerSpec};

/// Attention: `softmax(scale · q·kᵀ + bias)·v`, then a projection.
#[derive(Module, Debug)]
pub struct Attention<P: Projection> {
    /// Queries: `d_model` → `n_heads · d_head`.
    pub query: P,
    /// Keys: `d_model` → `n_kv_heads · d_head`.
    pub key: P,
    /// Values: `d_model` → `n_kv_heads · d_head`.
    pub value: P,
    /// Back to the residual stream: `n_heads · d_head` → `d_model`.
    pub output: P,
    /// Norm of the queries within a head.
    pub query_norm: Option<Norm>,
    /// Norm of the keys within a head.
    pub key_norm: Option<Norm>,
    dropout: Dropout,
    pub(super) n_heads: usize,
    pub(super) n_kv_heads: usize,
    pub(super) d_head: usize,
    scale: f64,
    scale_by_layer: bool,
}

impl Attention<Linear> {
    pub(crate) fn new(spec: &TransformerSpec, init: &Init<'_>, path: &str) -> Self {
        let a = &spec.attention;
        let (d_model, d_query, d_key) =
            (spec.d_model, a.n_heads * a.d_head, a.n_kv_heads * a.d_head);
        let norm =
            || a.qk_norm.then(|| Norm::new(init, NormKind::Layer, spec.norm_epsilon, a.d_head));
        Self {
            query: init.linear(&format!("{path}.query"), d_model, d_query, a.qkv_bias),
            key: init.linear(&format!("{path}.key"), d_model, d_key, a.qkv_bias),
            value: init.linear(&format!("{path}.value"), d_model, d_key, a.qkv_bias),
            output: init.linear(&format!("{path}.output"), d_query, d_model, a.output_bias),
            query_norm: norm(),
            key_norm: norm(),
            dropout: init.dropout(a.dropout),
            n_heads: a.n_heads,
            n_kv_heads: a.n_kv_heads,
            d_head: a.d_head,
            scale: a.scale,
            scale_by_layer: a.scale_by_layer,
        }
    }
}

impl<P: Projection> Attention<P> {
    /// Replaces the projections, given their paths below `path`.
    pub(crate) fn map_projections<Q: Projection>(
        self,
        path: &str,
        f: &mut impl FnMut(&str, P) -> Q,
    ) -> Attention<Q> {
        Attention {
            query: f(&format!("{path}.query"), self.query),
            key: f(&format!("{path}.key"), self.key),
            value: f(&format!("{path}.value"), self.value),
            output: f(&format!("{path}.output"), self.output),
            query_norm: self.query_norm,
            key_norm: self.key_norm,
            dropout: self.dropout,
            n_heads: self.n_heads,
            n_kv_heads: self.n_kv_heads,
            d_head: self.d_head,
            scale: self.scale,
            scale_by_layer: self.scale_by_layer,
        }
    }

    /// What attention adds to the residual stream, `[batch, seq, d_model]`.
    pub(crate) fn forward(
        &self,
        x: Tensor<3>,
        layer: usize,
        window: Option<usize>,
        context: &Context,
        cache: Option<&mut LayerCache>,
    ) -> Tensor<3> {
        self.attend(x.clone(), x, layer, window, context, cache)
    }

    /// As [`forward`](Self::forward), for the queries of `asking` over the keys of `asked`. They may be fewer where
    /// nothing depends on their column: no rotation, no causal mask, no window.
    pub(super) fn attend(
        &self,
        asking: Tensor<3>,
        asked: Tensor<3>,
        layer: usize,
        window: Option<usize>,
        context: &Context,
        cache: Option<&mut LayerCache>,
    ) -> Tensor<3> {
        let mut q = self.query.project(asking);
        let mut k = self.key.project(asked.clone());
        let mut v = self.value.project(asked);
        if let (Some(query_norm), Some(key_norm)) = (&self.query_norm, &self.key_norm) {
            q = self.by_head(q, self.n_heads, |q| query_norm.forward(q));
            k = self.by_head(k, self.n_kv_heads, |k| key_norm.forward(k));
        }
        if let Some(rotation) = &context.rotation {
            q = rotation.apply(q, self.n_heads);
            k = rotation.apply(k, self.n_kv_heads);
        }
        if let Some(cache) = cache {
            (k, v) = cache.extend(k, v);
        }
        let form =
            AttentionForm { dropout: self.dropout.mask(&q), ..self.form(layer, window, context) };
        self.output.project(ops::attention(q, k, v, context.bias.clone(), form))
    }

    /// What the operation does besides its tensors, without dropout.
    pub(super) fn form(
        &self,
        layer: usize,
        window: Option<usize>,
        context: &Context,
    ) -> AttentionForm {
        AttentionForm {
            n_heads: self.n_heads,
            n_kv_heads: self.n_kv_heads,
            scale: if self.scale_by_layer { self.scale / (layer + 1) as f64 } else { self.scale },
            causal: context.causal,
            start: context.start,
            window,
            dropout: None,
        }
    }

    /// Applies `f` to `[batch, seq, heads, d_head]`.
    fn by_head(
        &self,
        x: Tensor<3>,
        n_heads: usize,
        f: impl FnOnce(Tensor<4>) -> Tensor<4>,
    ) -> Tensor<3> {
        let [batch, seq, width] = x.dims();
        f(x.reshape([batch, seq, n_heads, self.d_head])).reshape([batch, seq, width])
    }
}
