//! Attention made of plain burn operations, forward and backward.

use burn::tensor::activation::softmax;
use burn::tensor::{Bool, DType, Int, Tensor};

use super::AttentionForm;

/// See [`attention`](super::attention); `weights` changes what the softmax gives, as dropout does.
pub fn attention(
    q: Tensor<3>,
    k: Tensor<3>,
    v: Tensor<3>,
    bias: Tensor<3>,
    form: AttentionForm,
    weights: impl FnOnce(Tensor<4>) -> Tensor<4>,
) -> Tensor<3> {
    let (q, k, v) = (grouped(q, &form), key_heads(k, &form), key_heads(v, &form));
    let p = probabilities(q, k, bias, &form);
    ungrouped(stacked(weights(p), &form).matmul(v), &form)
}

/// The gradients of q, k and v, from the gradient `g` of the output.
pub fn attention_backward(
    q: Tensor<3>,
    k: Tensor<3>,
    v: Tensor<3>,
    bias: Tensor<3>,
    g: Tensor<3>,
    form: AttentionForm,
) -> [Tensor<3>; 3] {
    let (q, k, v) = (grouped(q, &form), key_heads(k, &form), key_heads(v, &form));
    let g = grouped(g, &form);
    let p = stacked(probabilities(q.clone(), k.clone(), bias, &form), &form);
    let dv = p.clone().swap_dims(2, 3).matmul(g.clone());
    let dp = g.matmul(v.swap_dims(2, 3));
    let mean = (p.clone() * dp.clone()).sum_dim(3);
    let ds = p * (dp - mean) * form.scale;
    let dq = ds.clone().matmul(k);
    let dk = ds.swap_dims(2, 3).matmul(q);
    let merge = |x: Tensor<4>| {
        let [batch, heads, keys, d_head] = x.dims();
        x.swap_dims(1, 2).reshape([batch, keys, heads * d_head])
    };
    [ungrouped(dq, &form), merge(dk), merge(dv)]
}

/// See [`attention_tangent`](super::attention_tangent).
pub fn attention_tangent(
    [q, k, v]: [Tensor<3>; 3],
    [dq, dk, dv]: [Tensor<3>; 3],
    bias: Tensor<3>,
    form: AttentionForm,
) -> Tensor<3> {
    let (q, dq) = (grouped(q, &form), grouped(dq, &form));
    let (k, dk) = (key_heads(k, &form), key_heads(dk, &form));
    let (v, dv) = (key_heads(v, &form), key_heads(dv, &form));
    let p = stacked(probabilities(q.clone(), k.clone(), bias, &form), &form);
    let ds = dq.matmul(k.swap_dims(2, 3)) + q.matmul(dk.swap_dims(2, 3));
    let ds = ds * form.scale;
    let mean = (p.clone() * ds.clone()).sum_dim(3);
    let dp = p.clone() * (ds - mean);
    ungrouped(dp.matmul(v) + p.matmul(dv), &form)
}

/// `[batch, n_heads, queries, keys]`, zero where a key is hidden.
fn probabilities(q: Tensor<4>, k: Tensor<4>, bias: Tensor<3>, form: &AttentionForm) -> Tensor<4> {
    let ([batch, _, rows, _], keys) = (q.dims(), k.dims()[2]);
    let queries = rows / form.group();
    let scores = (q * form.scale).matmul(k.swap_dims(2, 3));
    let scores = scores.reshape([batch, form.n_heads, queries, keys]);
    let dtype = scores.dtype();
    let bias: Tensor<4> = bias.cast(dtype).unsqueeze_dim(2);
    let hidden = bias.clone().equal_elem(f32::NEG_INFINITY);
    let hidden = match structural(form, queries, keys, &scores) {
        Some(mask) => hidden.bool_or(mask),
        None => hidden,
    };
    let hidden = hidden.expand([batch, form.n_heads, queries, keys]);
    let scores = (scores + bias).mask_fill(hidden.clone(), lowest(dtype));
    softmax(scores, 3).mask_fill(hidden, 0.0)
}

/// What order and window hide, `[1, 1, queries, keys]`.
fn structural(
    form: &AttentionForm,
    queries: usize,
    keys: usize,
    like: &Tensor<4>,
) -> Option<Tensor<4, Bool>> {
    let columns =
        |from: usize, to: usize| Tensor::<1, Int>::arange(from as i64..to as i64, &like.device());
    let query: Tensor<4, Int> =
        columns(form.start, form.start + queries).reshape([1, 1, queries, 1]);
    let key: Tensor<4, Int> = columns(0, keys).reshape([1, 1, 1, keys]);
    let shape = [1, 1, queries, keys];
    let (query, key) = (query.expand(shape), key.expand(shape));
    let late = form.causal.then(|| key.clone().greater(query.clone()));
    let early = form.window.map(|window| query.greater_equal(key + window as i64));
    match (late, early) {
        (Some(late), Some(early)) => Some(late.bool_or(early)),
        (late, early) => late.or(early),
    }
}

/// `[batch, queries, n_heads · d_head]` → `[batch, n_kv_heads, group · queries, d_head]`: heads that
/// share keys stand in one group of rows, so that no key is repeated.
fn grouped(x: Tensor<3>, form: &AttentionForm) -> Tensor<4> {
    let [batch, queries, width] = x.dims();
    let d_head = width / form.n_heads;
    x.reshape([batch, queries, form.n_heads, d_head]).swap_dims(1, 2).reshape([
        batch,
        form.n_kv_heads,
        form.group() * queries,
        d_head,
    ])
}

/// The inverse of [`grouped`].
fn ungrouped(x: Tensor<4>, form: &AttentionForm) -> Tensor<3> {
    let [batch, _, rows, d_head] = x.dims();
    let queries = rows / form.group();
    x.reshape([batch, form.n_heads, queries, d_head]).swap_dims(1, 2).reshape([
        batch,
        queries,
        form.n_heads * d_head,
    ])
}

/// `[batch, n_heads, queries, keys]` → `[batch, n_kv_heads, group · queries, keys]`
fn stacked(x: Tensor<4>, form: &AttentionForm) -> Tensor<4> {
    let [batch, _, queries, keys] = x.dims();
    x.reshape([batch, form.n_kv_heads, form.group() * queries, keys])
}

/// `[batch, keys, n_kv_heads · d_head]` → `[batch, n_kv_heads, keys, d_head]`
fn key_heads(x: Tensor<3>, form: &AttentionForm) -> Tensor<4> {
    let [batch, keys, width] = x.dims();
    x.reshape([batch, keys, form.n_kv_heads, width / form.n_kv_heads]).swap_dims(1, 2)
}

/// A score that no softmax sees, yet finite: rows without a key stay numbers.
fn lowest(dtype: DType) -> f64 {
    match dtype {
        DType::F16 => -6e4,
        _ => -1e30,
    }
}
