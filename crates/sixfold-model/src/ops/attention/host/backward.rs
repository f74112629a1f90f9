//! The backward pass on the CPU: each head of keys on its own, its weights made again tile by tile.

use ndarray::Axis;
use rayon::prelude::*;

use super::plan::{Plan, TILE, Tile, matrix, product};
use crate::ops::host::{simd, sum_with};

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
    let mut buffers = vec![0.0; 3 * TILE * plan.keys];
    let (p, rest) = buffers.split_at_mut(TILE * plan.keys);
    let (ds, kept) = rest.split_at_mut(TILE * plan.keys);
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
            // What dropout left of p, and dropout of its gradient.
            let weights = match plan.form.dropout {
                None => &*p,
                Some(_) => {
                    let kept = &mut kept[..len * end];
                    kept.copy_from_slice(p);
                    plan.drop_out(tile, end, kept);
                    kept
                }
            };
            product(1.0, matrix(weights, end).reversed_axes(), g, 1.0, &mut grads.dv[..end * d]);
            product(1.0, g, seen(v).reversed_axes(), 0.0, ds);
            plan.drop_out(tile, end, ds);
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

/// Gradients of q, k and v.
pub(super) fn backward(plan: &Plan<'_>, inputs: [&[f32]; 4]) -> [Vec<f32>; 3] {
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
