//! Attention on the CPU: some queries of one head at a time, so that their scores stay in cache.

mod backward;
mod plan;
mod tangent;

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use ndarray::{ArrayViewMut2, Axis, ShapeBuilder};
use rayon::prelude::*;
use sixfold_linalg::{Threads, matmul_into};

use super::{AttentionForm, AttentionOps};
use crate::ops::host::HostBackend;

use backward::backward;
use plan::{Plan, TILE, Tile, matrix};
use tangent::tangent;

/// Fills `[batch, queries, width]` tile by tile. `f` gets a tile, the end of the keys that it sees, `matrices` buffers
/// of `[len, end]` side by side, and its part of the output: zeros.
fn over_tiles(
    plan: &Plan<'_>,
    matrices: usize,
    f: impl Fn(Tile, usize, &mut [f32], ArrayViewMut2<'_, f32>) + Sync,
) -> Vec<f32> {
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
    tiles.into_par_iter().for_each_init(Vec::new, |buffers: &mut Vec<f32>, (row, first, out)| {
        let len = out.len() / width;
        buffers.resize(matrices * len * plan.keys, 0.0);
        for head in 0..plan.form.n_heads {
            let tile = Tile { row, head, first, len };
            let end = plan.end(tile);
            if end == 0 {
                continue;
            }
            let out = ArrayViewMut2::from_shape(
                (len, plan.d_head).strides((width, 1)),
                &mut out[head * plan.d_head..],
            )
            .expect("a head within the rows");
            f(tile, end, &mut buffers[..matrices * len * end], out);
        }
    });
    out
}

fn forward(plan: &Plan<'_>, q: &[f32], k: &[f32], v: &[f32]) -> Vec<f32> {
    over_tiles(plan, 1, |tile, end, p, out| {
        plan.probabilities(q, k, tile, p);
        plan.drop_out(tile, end, p);
        let values = plan.keys_of(v, tile).split_at(Axis(0), end).0;
        matmul_into(1.0, matrix(p, end), values, 0.0, out, Threads::ONE);
    })
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

            fn attend_tangent(
                q: FloatTensor<Self>,
                k: FloatTensor<Self>,
                v: FloatTensor<Self>,
                dq: FloatTensor<Self>,
                dk: FloatTensor<Self>,
                dv: FloatTensor<Self>,
                bias: FloatTensor<Self>,
                form: AttentionForm,
            ) -> FloatTensor<Self> {
                let shape = q.shape();
                let out = planned::<Self, 6, _>([q, k, v, dq, dk, dv], bias, form, tangent);
                Self::make(out, shape)
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
