//! Multi-head attention with grouped heads.

use burn::module::Module;
use burn::nn::{Dropout, Linear};
use burn::tensor::activation::softmax;
use burn::tensor::{Bool, DType, Tensor};

use super::cache::LayerCache;
use super::context::Context;
use super::init::Init;
use super::norm::Norm;
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
    n_heads: usize,
    n_kv_heads: usize,
    d_head: usize,
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
        let mut q = split_heads(self.query.project(x.clone()), self.n_heads);
        let mut k = split_heads(self.key.project(x.clone()), self.n_kv_heads);
        let mut v = split_heads(self.value.project(x), self.n_kv_heads);
        if let (Some(query_norm), Some(key_norm)) = (&self.query_norm, &self.key_norm) {
            q = query_norm.forward(q);
            k = key_norm.forward(k);
        }
        if let Some(rotation) = &context.rotation {
            q = rotation.apply(q);
            k = rotation.apply(k);
        }
        if let Some(cache) = cache {
            (k, v) = cache.extend(k, v);
        }

        let scale = if self.scale_by_layer { self.scale / (layer + 1) as f64 } else { self.scale };
        let (alibi, hidden) = (context.alibi.as_ref(), context.hidden(window));
        self.output.project(attend(q * scale, k, v, alibi, hidden, &self.dropout))
    }
}

/// `[batch, seq, heads · d_head]` → `[batch, heads, seq, d_head]`
pub(super) fn split_heads(x: Tensor<3>, n_heads: usize) -> Tensor<4> {
    let [batch, seq, width] = x.dims();
    x.reshape([batch, seq, n_heads, width / n_heads]).swap_dims(1, 2)
}

/// The mixed values of all heads, side by side: `softmax(q·kᵀ + bias)·v`, where the queries
/// bring the scale.
///
/// # Shapes
/// `q`: `[batch, heads, seq, d_head]`; `k`, `v`: `[batch, kv_heads, keys, d_head]`; `bias`, and
/// `hidden`, which is true where a query must not look: `[batch or 1, heads or 1, seq or 1, keys]`
/// → `[batch, seq, heads · d_head]`
pub(super) fn attend(
    q: Tensor<4>,
    k: Tensor<4>,
    v: Tensor<4>,
    bias: Option<&Tensor<4>>,
    hidden: Option<Tensor<4, Bool>>,
    dropout: &Dropout,
) -> Tensor<3> {
    // Heads that share keys stand in one group of rows: no key is repeated.
    let [batch, n_heads, seq, d_head] = q.dims();
    let [_, n_kv_heads, keys, _] = k.dims();
    let group = n_heads / n_kv_heads;
    let q = q.reshape([batch, n_kv_heads, group * seq, d_head]);
    let mut scores = q.matmul(k.swap_dims(2, 3)).reshape([batch, n_heads, seq, keys]);
    if let Some(bias) = bias {
        scores = scores + bias.clone();
    }
    if let Some(hidden) = hidden {
        let lowest = lowest(scores.dtype());
        scores = scores.mask_fill(hidden.expand([batch, n_heads, seq, keys]), lowest);
    }
    let weights = dropout.forward(softmax(scores, 3));
    weights
        .reshape([batch, n_kv_heads, group * seq, keys])
        .matmul(v)
        .reshape([batch, n_heads, seq, d_head])
        .swap_dims(1, 2)
        .reshape([batch, seq, n_heads * d_head])
}

/// A score that no softmax sees, yet finite: rows that are all padding stay numbers.
fn lowest(dtype: DType) -> f64 {
    match dtype {
        DType::F16 => -6e4,
        _ => -1e30,
    }
}
