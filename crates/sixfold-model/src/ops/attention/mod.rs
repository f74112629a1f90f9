//! Attention as one operation: no `[heads, queries, keys]` tensor outlives it, nor is one kept for
//! the backward pass, which makes its rows again, some at a time (the idea of FlashAttention,
//! arXiv 2205.14135).

mod autodiff;
#[cfg(feature = "cube")]
mod cube;
mod host;
pub mod reference;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

use super::{DropoutMask, has_kernel};

/// What attention does besides its tensors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttentionForm {
    /// Heads of the queries.
    pub n_heads: usize,
    /// Heads of keys and values; a divisor of `n_heads`. Head h reads key head h / (n_heads / n_kv_heads).
    pub n_kv_heads: usize,
    /// Factor on the products.
    pub scale: f64,
    /// Whether later keys are hidden.
    pub causal: bool,
    /// The column of the first query among the keys: those in a cache come before.
    pub start: usize,
    /// Hides keys this many columns or more before the query.
    pub window: Option<usize>,
    /// Dropout of the weights that the softmax gives; places are those of
    /// `[batch, n_heads, queries, keys]`.
    pub dropout: Option<DropoutMask>,
}

impl AttentionForm {
    /// Heads that share one head of keys.
    pub(crate) fn group(&self) -> usize {
        self.n_heads / self.n_kv_heads
    }

    /// The keys that a query may see: none but these, and of them those that the bias leaves.
    pub(crate) fn visible(&self, query: usize, keys: usize) -> std::ops::Range<usize> {
        let column = self.start + query;
        let end = if self.causal { keys.min(column + 1) } else { keys };
        let begin = self.window.map_or(0, |window| (column + 1).saturating_sub(window));
        begin.min(end)..end
    }
}

#[cfg_attr(feature = "ndarray", expect(deprecated, reason = "the second CPU backend"))]
#[expect(clippy::too_many_arguments, reason = "the macro knows tensors, not arrays of them")]
mod extension {
    use super::*;

    #[backend_extension(
        Cube: cfg(feature = "cube"),
        Flex: cfg(feature = "flex"),
        NdArray: cfg(feature = "ndarray"),
        Autodiff
    )]
    pub(crate) trait AttentionOps: Backend {
        /// softmax(scale·q·kᵀ + bias)·v
        fn attend(
            q: FloatTensor<Self>,
            k: FloatTensor<Self>,
            v: FloatTensor<Self>,
            bias: FloatTensor<Self>,
            form: AttentionForm,
        ) -> FloatTensor<Self>;

        /// The gradients of q, k and v.
        fn attend_backward(
            q: FloatTensor<Self>,
            k: FloatTensor<Self>,
            v: FloatTensor<Self>,
            bias: FloatTensor<Self>,
            g: FloatTensor<Self>,
            form: AttentionForm,
        ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

        /// The derivative in the directions of q, k and v.
        fn attend_tangent(
            q: FloatTensor<Self>,
            k: FloatTensor<Self>,
            v: FloatTensor<Self>,
            dq: FloatTensor<Self>,
            dk: FloatTensor<Self>,
            dv: FloatTensor<Self>,
            bias: FloatTensor<Self>,
            form: AttentionForm,
        ) -> FloatTensor<Self>;
    }
}
pub(crate) use extension::AttentionOps;

/// Scaled dot-product attention: `softmax(scale · q·kᵀ + bias)·v` in each head.
///
/// `bias` depends on the key only: −∞ where it is padding, `slope · position` for ALiBi. It is
/// a constant: no gradient flows into it. A query that sees no key gives zeros.
///
/// # Shapes
/// `q`: `[batch, queries, n_heads · d_head]`, `k`, `v`: `[batch, keys, n_kv_heads · d_head]`,
/// `bias`: `[batch or 1, n_heads or 1, keys]` → `[batch, queries, n_heads · d_head]`
///
/// # Panics
/// If the shapes do not fit.
///
/// # Complexity
/// `4 · batch · n_heads · queries · keys · d_head` operations, less what a causal mask hides;
/// backward `10 ·`. On the CPU `O(keys)` memory a thread.
///
/// # References
/// Vaswani et al., arXiv 1706.03762, eq. 1; grouped heads: arXiv 2305.13245.
#[doc(alias = "scaled_dot_product_attention")]
pub fn attention(
    q: Tensor<3>,
    k: Tensor<3>,
    v: Tensor<3>,
    bias: Tensor<3>,
    form: AttentionForm,
) -> Tensor<3> {
    check(&q, &k, &v, &bias, &form);
    if !(has_kernel(&q) && has_kernel(&k) && has_kernel(&v) && has_kernel(&bias)) {
        return reference::attention(q, k, v, bias, form);
    }
    Tensor::from_dispatch(Dispatch::attend(
        q.into_dispatch(),
        k.into_dispatch(),
        v.into_dispatch(),
        bias.into_dispatch(),
        form,
    ))
}

/// The derivative of [`attention`] in the directions `dx` of q, k and v.
///
/// # Shapes
/// `x`: q, k and v as [`attention`] takes them, `dx`: the same → as q
///
/// # Panics
/// If the shapes do not fit.
///
/// # Complexity
/// `10 · batch · n_heads · queries · keys · d_head` operations, less what a causal mask hides; on
/// the CPU `O(keys)` memory a thread.
pub fn attention_tangent(
    x: [Tensor<3>; 3],
    dx: [Tensor<3>; 3],
    bias: Tensor<3>,
    form: AttentionForm,
) -> Tensor<3> {
    for [q, k, v] in [&x, &dx] {
        check(q, k, v, &bias, &form);
    }
    let all = || x.iter().chain(&dx).chain([&bias]);
    if !all().all(has_kernel) || all().any(|tensor| tensor.device().is_autodiff()) {
        return reference::attention_tangent(x, dx, bias, form);
    }
    let [[q, k, v], [dq, dk, dv]] = [x, dx].map(|tensors| tensors.map(Tensor::into_dispatch));
    let bias = bias.into_dispatch();
    Tensor::from_dispatch(Dispatch::attend_tangent(q, k, v, dq, dk, dv, bias, form))
}

fn check(q: &Tensor<3>, k: &Tensor<3>, v: &Tensor<3>, bias: &Tensor<3>, form: &AttentionForm) {
    let ([batch, _, width], [rows, heads, keys]) = (q.dims(), bias.dims());
    let AttentionForm { n_heads, n_kv_heads, .. } = *form;
    assert!(
        n_kv_heads > 0 && n_heads.is_multiple_of(n_kv_heads),
        "{n_heads} heads, {n_kv_heads} of keys"
    );
    assert!(width.is_multiple_of(n_heads), "{n_heads} heads in {width} features");
    let d_head = width / n_heads;
    for (name, shape) in [("keys", k.dims()), ("values", v.dims())] {
        let expected = [batch, keys, n_kv_heads * d_head];
        assert!(shape == expected, "{name} are {shape:?}, not {expected:?}");
    }
    assert!(rows == 1 || rows == batch, "a bias for {rows} of {batch} rows");
    assert!(heads == 1 || heads == n_heads, "a bias for {heads} of {n_heads} heads");
}
