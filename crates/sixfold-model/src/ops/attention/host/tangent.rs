//! The derivative in a direction on the CPU: both sets of scores of a tile stay in cache.

use ndarray::Axis;
use sixfold_linalg::{Threads, matmul_into};

use super::over_tiles;
use super::plan::{Plan, matrix, product};
use crate::ops::host::{simd, sum_with};

/// `dP·v + P·dv` with `dP = P ⊙ (dS − rowsum(P ⊙ dS))` and `dS = scale·(dq·kᵀ + q·dkᵀ)`.
pub(super) fn tangent(plan: &Plan<'_>, [q, k, v, dq, dk, dv]: [&[f32]; 6]) -> Vec<f32> {
    let scale = plan.form.scale as f32;
    over_tiles(plan, 2, |tile, end, buffers, mut out| {
        let (p, ds) = buffers.split_at_mut(tile.len * end);
        let seen = |values| plan.keys_of(values, tile).split_at(Axis(0), end).0;
        plan.probabilities(q, k, tile, p);
        product(scale, plan.queries_of(dq, tile), seen(k).reversed_axes(), 0.0, ds);
        product(scale, plan.queries_of(q, tile), seen(dk).reversed_axes(), 1.0, ds);
        simd(
            #[inline(always)]
            || {
                for (p, ds) in p.chunks_exact(end).zip(ds.chunks_exact_mut(end)) {
                    // What is hidden has no weight, whatever its score would be.
                    let mean = sum_with(
                        p,
                        ds,
                        #[inline(always)]
                        |p, ds| p * ds,
                    );
                    for (p, ds) in p.iter().zip(ds) {
                        *ds = p * (*ds - mean);
                    }
                }
            },
        );
        plan.drop_out(tile, end, p);
        plan.drop_out(tile, end, ds);
        matmul_into(1.0, matrix(ds, end), seen(v), 0.0, out.view_mut(), Threads::ONE);
        matmul_into(1.0, matrix(p, end), seen(dv), 1.0, out, Threads::ONE);
    })
}
