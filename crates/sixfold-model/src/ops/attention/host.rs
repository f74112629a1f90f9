//! Attention on the CPU: some queries of one head at a time, so that their scores stay in cache.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use ndarray::{ArrayView2, ArrayViewMut2, Axis, ShapeBuilder};
use rayon::prelude::*;
use sixfold_linalg::{Threads, matmul_into};

use super::{AttentionForm, AttentionOps};
use crate::ops::host::{HostBackend, exp, max, simd, sum, sum_with};

/// Queries of a tile.
const TILE: usize = 64;

/// Sizes, and the bias of each key.
struct Plan<'a> {
    form: AttentionForm,
    batch: usize,
    queries: usize,
    keys: usize,
    d_head: usize,
    bias: &'a [f32],
    /// Rows and heads of the bias.
    bias_dims: [usize; 2],
}

/// Queries `first..first + len` of head `head` in row `row`.
#[derive(Clone, Copy)]
struct Tile {
    row: usize,
    head: usize,
    first: usize,
    len: usize,
}

impl Plan<'_> {
    /// Features of all query heads, and of all key heads.
    fn widths(&self) -> [usize; 2] {
        [self.form.n_heads, self.form.n_kv_heads].map(|heads| heads * self.d_head)
    }

    fn key_head(&self, head: usize) -> usize {
        head / self.form.group()
    }

    /// The bias of the keys, as a head of a row has it.
    fn bias(&self, tile: Tile) -> &[f32] {
        let [rows, heads] = self.bias_dims;
        let row = if rows == 1 { 0 } else { tile.row };
        let head = if heads == 1 { 0 } else { tile.head };
        &self.bias[(row * heads + head) * self.keys..][..self.keys]
    }

    /// One head of a row as a matrix: `values` is `[batch, len, heads · d_head]`.
    fn head<'v>(
        &self,
        values: &'v [f32],
        len: usize,
        heads: usize,
        row: usize,
        head: usize,
    ) -> ArrayView2<'v, f32> {
        let width = heads * self.d_head;
        let from = row * len * width + head * self.d_head;
        let shape = (len, self.d_head).strides((width, 1));
        ArrayView2::from_shape(shape, &values[from.min(values.len())..])
            .expect("a head within its tensor")
    }

    fn keys_of<'v>(&self, values: &'v [f32], tile: Tile) -> ArrayView2<'v, f32> {
        let head = self.key_head(tile.head);
        self.head(values, self.keys, self.form.n_kv_heads, tile.row, head)
    }

    fn queries_of<'v>(&self, values: &'v [f32], tile: Tile) -> ArrayView2<'v, f32> {
        let all = self.head(values, self.queries, self.form.n_heads, tile.row, tile.head);
        all.split_at(Axis(0), tile.first).1.split_at(Axis(0), tile.len).0
    }

    /// Keys that some query of the tile may see come before this one.
    fn end(&self, tile: Tile) -> usize {
        self.form.visible(tile.first + tile.len - 1, self.keys).end
    }

    /// softmax(scale·q·kᵀ + bias) of a tile, `[len, end]` in `p`; rows that see no key are zero.
    fn probabilities(&self, q: &[f32], k: &[f32], tile: Tile, p: &mut [f32]) {
        let end = self.end(tile);
        if end == 0 {
            return;
        }
        let keys = self.keys_of(k, tile).split_at(Axis(0), end).0;
        let scale = self.form.scale as f32;
        product(scale, self.queries_of(q, tile), keys.reversed_axes(), 0.0, p);
        let bias = self.bias(tile);
        simd(
            #[inline(always)]
            || {
                for (i, row) in p.chunks_exact_mut(end).enumerate() {
                    let seen = self.form.visible(tile.first + i, self.keys);
                    row[..seen.start].fill(0.0);
                    row[seen.end..].fill(0.0);
                    softmax(&mut row[seen.clone()], &bias[seen]);
                }
            },
        );
    }
}

/// row ← softmax(row + bias); zeros where all of the bias is −∞.
#[inline(always)]
fn softmax(row: &mut [f32], bias: &[f32]) {
    for (value, bias) in row.iter_mut().zip(bias) {
        *value += bias;
    }
    let largest = max(row);
    if largest == f32::NEG_INFINITY {
        // Hidden as a whole; NaN is no number for `max`, but must show.
        row.iter_mut().for_each(|value| *value = if value.is_nan() { *value } else { 0.0 });
        return;
    }
    for value in row.iter_mut() {
        *value = exp(*value - largest);
    }
    let factor = 1.0
        / sum(
            row,
            #[inline(always)]
            |x| x,
        );
    for value in row {
        *value *= factor;
    }
}

/// out ← alpha·a·b + beta·out on the calling thread; `out` in row-major order.
fn product(alpha: f32, a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>, beta: f32, out: &mut [f32]) {
    let shape = (a.nrows(), b.ncols());
    let out = ArrayViewMut2::from_shape(shape, out).expect("a buffer of the product's size");
    matmul_into(alpha, a, b, beta, out, Threads::ONE);
}

fn matrix(values: &[f32], width: usize) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((values.len() / width, width), values).expect("whole rows")
}

fn forward(plan: &Plan<'_>, q: &[f32], k: &[f32], v: &[f32]) -> Vec<f32> {
    let [width, _] = plan.widths();
    let mut out = vec![0.0; plan.batch * plan.queries * width];
    if out.is_empty() || plan.keys == 0 {
        return out;
    }
    // Whole rows of the output, so that each piece is one slice.
    let tiles: Vec<_> = out
        .chunks_mut(plan.queries * width)
        .enumerate()
        .flat_map(|(row, out)| {
            out.chunks_mut(TILE * width).enumerate().map(move |(i, out)| (row, i * TILE, out))
        })
        .collect();
    tiles.into_par_iter().for_each_init(Vec::new, |p: &mut Vec<f32>, (row, first, out)| {
        let len = out.len() / width;
        p.resize(len * plan.keys, 0.0);
        for head in 0..plan.form.n_heads {
            let tile = Tile { row, head, first, len };
            let end = plan.end(tile);
            if end == 0 {
                continue;
            }
            let p = &mut p[..len * end];
            plan.probabilities(q, k, tile, p);
            let out = ArrayViewMut2::from_shape(
                (len, plan.d_head).strides((width, 1)),
                &mut out[head * plan.d_head..],
            )
            .expect("a head within the rows");
            let values = plan.keys_of(v, tile).split_at(Axis(0), end).0;
            matmul_into(1.0, matrix(p, end), values, 0.0, out, Threads::ONE);
        }
    });
    out
}

/// Gradients of one head of keys: of its queries, `[group, queries, d_head]`, and of itself.
struct HeadGradients {
    dq: Vec<f32>,
    dk: Vec<f32>,
    dv: Vec<f32>,
}

fn head_backward(
    plan: &Plan<'_>,
    [q, k, v, g]: [&[f32]; 4],
    row: usize,
    key_head: usize,
) -> HeadGradients {
    let (group, d) = (plan.form.group(), plan.d_head);
    let mut grads = HeadGradients {
        dq: vec![0.0; group * plan.queries * d],
        dk: vec![0.0; plan.keys * d],
        dv: vec![0.0; plan.keys * d],
    };
    let scale = plan.form.scale as f32;
    let mut buffers = vec![0.0; 2 * TILE * plan.keys];
    let (p, ds) = buffers.split_at_mut(TILE * plan.keys);
    for (member, dq) in grads.dq.chunks_mut((plan.queries * d).max(1)).enumerate() {
        for (i, dq) in dq.chunks_mut(TILE * d).enumerate() {
            let len = dq.len() / d;
            let tile = Tile { row, head: key_head * group + member, first: i * TILE, len };
            let end = plan.end(tile);
            if end == 0 {
                continue;
            }
            let (p, ds) = (&mut p[..len * end], &mut ds[..len * end]);
            plan.probabilities(q, k, tile, p);
            let seen = |values| plan.keys_of(values, tile).split_at(Axis(0), end).0;
            let (g, q) = (plan.queries_of(g, tile), plan.queries_of(q, tile));
            product(1.0, matrix(p, end).reversed_axes(), g, 1.0, &mut grads.dv[..end * d]);
            product(1.0, g, seen(v).reversed_axes(), 0.0, ds);
            simd(
                #[inline(always)]
                || {
                    for (p, ds) in p.chunks_exact(end).zip(ds.chunks_exact_mut(end)) {
                        let mean = sum_with(
                            p,
                            ds,
                            #[inline(always)]
                            |p, ds| p * ds,
                        );
                        for (p, ds) in p.iter().zip(ds) {
                            *ds = p * (*ds - mean) * scale;
                        }
                    }
                },
            );
            product(1.0, matrix(ds, end), seen(k), 0.0, dq);
            product(1.0, matrix(ds, end).reversed_axes(), q, 1.0, &mut grads.dk[..end * d]);
        }
    }
    grads
}

fn backward(plan: &Plan<'_>, inputs: [&[f32]; 4]) -> [Vec<f32>; 3] {
    let heads = plan.form.n_kv_heads;
    let grads: Vec<HeadGradients> = (0..plan.batch * heads)
        .into_par_iter()
        .map(|task| head_backward(plan, inputs, task / heads, task % heads))
        .collect();
    let [queries_width, keys_width] = plan.widths();
    let group = plan.form.group();
    let dq = interleaved(plan, queries_width, plan.queries, |row, head| {
        let dq = &grads[row * heads + head / group].dq;
        &dq[head % group * plan.queries * plan.d_head..]
    });
    let dk = interleaved(plan, keys_width, plan.keys, |row, head| &grads[row * heads + head].dk);
    let dv = interleaved(plan, keys_width, plan.keys, |row, head| &grads[row * heads + head].dv);
    [dq, dk, dv]
}

/// Heads side by side, `[batch, len, width]`, from one matrix `[len, d_head]` for each.
fn interleaved<'g>(
    plan: &Plan<'_>,
    width: usize,
    len: usize,
    of: impl Fn(usize, usize) -> &'g [f32] + Sync,
) -> Vec<f32> {
    let d = plan.d_head;
    let mut out = vec![0.0; plan.batch * len * width];
    out.par_chunks_mut((len * width).max(1)).enumerate().for_each(|(row, out)| {
        for head in 0..width / d {
            let source = of(row, head).chunks_exact(d);
            for (out, source) in out.chunks_exact_mut(width).zip(source) {
                out[head * d..(head + 1) * d].copy_from_slice(source);
            }
        }
    });
    out
}

/// Reads the sizes and calls `f` with the plan and the values.
fn planned<B: HostBackend, const N: usize, R>(
    tensors: [FloatTensor<B>; N],
    bias: FloatTensor<B>,
    form: AttentionForm,
    f: impl FnOnce(&Plan<'_>, [&[f32]; N]) -> R,
) -> R {
    let (q, k, of_bias) = (tensors[0].shape(), tensors[1].shape(), bias.shape());
    let bias = B::read(bias);
    let plan = Plan {
        form,
        batch: q[0],
        queries: q[1],
        keys: k[1],
        d_head: q[2] / form.n_heads,
        bias: &bias,
        bias_dims: [of_bias[0], of_bias[1]],
    };
    let values = tensors.map(B::read);
    f(&plan, std::array::from_fn(|i| &*values[i]))
}

/// Implements the trait for one backend.
macro_rules! implement {
    ($backend:ty) => {
        impl AttentionOps for $backend {
            fn attend(
                q: FloatTensor<Self>,
                k: FloatTensor<Self>,
                v: FloatTensor<Self>,
                bias: FloatTensor<Self>,
                form: AttentionForm,
            ) -> FloatTensor<Self> {
                let shape = q.shape();
                let out = planned::<Self, 3, _>([q, k, v], bias, form, |plan, [q, k, v]| {
                    forward(plan, q, k, v)
                });
                Self::make(out, shape)
            }

            fn attend_backward(
                q: FloatTensor<Self>,
                k: FloatTensor<Self>,
                v: FloatTensor<Self>,
                bias: FloatTensor<Self>,
                g: FloatTensor<Self>,
                form: AttentionForm,
            ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
                let (of_q, of_k) = (q.shape(), k.shape());
                let [dq, dk, dv] = planned::<Self, 4, _>([q, k, v, g], bias, form, backward);
                let make = Self::make;
                (make(dq, of_q), make(dk, of_k.clone()), make(dv, of_k))
            }
        }
    };
}

#[cfg(feature = "flex")]
implement!(burn_flex::Flex);

#[cfg(feature = "ndarray")]
#[expect(deprecated, reason = "the second CPU backend")]
mod second {
    use super::*;
    implement!(burn_ndarray::NdArray);
}
