//! The product at the bottom of a sweep: a few rows times a packed panel, sums in registers.

use std::array::from_fn;

use bytemuck::Zeroable;
use pulp::Simd;

use super::packed::Panel;

/// Rows that a product takes at once: with two registers of columns twelve sums, which hide the
/// latency of a fused multiplication, and fit the sixteen registers of AVX2.
pub(super) const ROWS: usize = 6;

/// Steps between two checks of bounds.
const STEPS: usize = 4;

/// The left side of a product, in the memory of a matrix with rows `pitch` apart.
#[derive(Clone, Copy)]
pub(super) enum Left<'a> {
    /// Rows from the first on: left(r, s) = values[r·pitch + s].
    Rows(&'a [f32], usize),
    /// Columns from the first on: left(r, s) = values[s·pitch + r].
    Columns(&'a [f32], usize),
}

/// What becomes of a sum.
#[derive(Clone, Copy)]
pub(super) enum Store {
    /// It replaces what was there.
    Set,
    /// It is added.
    Add,
}

/// out[r][..] (+)= Σ_s left(r, s)·panel[s][..] for r < R and s < depth, each sum in the order of s.
///
/// `out` is memory with rows `pitch` apart, written from column `panel.start` on.
#[inline(always)]
pub(super) fn multiply<S: Simd, const R: usize>(
    simd: S,
    depth: usize,
    left: Left<'_>,
    panel: Panel<'_>,
    (out, pitch): (&mut [f32], usize),
    store: Store,
) {
    if panel.width == 2 * S::F32_LANES {
        add::<S, R, 2>(simd, sums(simd, depth, left, panel), panel.start, (out, pitch), store);
    } else {
        add::<S, R, 1>(simd, sums(simd, depth, left, panel), panel.start, (out, pitch), store);
    }
}

type Sums<S, const R: usize, const N: usize> = [[<S as Simd>::f32s; N]; R];

#[inline(always)]
fn sums<S: Simd, const R: usize, const N: usize>(
    simd: S,
    depth: usize,
    left: Left<'_>,
    panel: Panel<'_>,
) -> Sums<S, R, N> {
    let mut sums = [[S::f32s::zeroed(); N]; R];
    let (right, _) = S::as_simd_f32s(panel.values);
    match left {
        Left::Rows(values, pitch) => {
            let rows: [&[f32]; R] = from_fn(|r| &values[r * pitch..][..depth]);
            let steps = rows.map(|row| row.as_chunks::<STEPS>().0);
            let mut right = right.chunks_exact(STEPS * N);
            for (s, right) in right.by_ref().take(depth / STEPS).enumerate() {
                let left: [&[f32; STEPS]; R] = from_fn(|r| &steps[r][s]);
                for step in 0..STEPS {
                    let right = from_fn(|n| right[step * N + n]);
                    add_outer(simd, from_fn(|r| left[r][step]), right, &mut sums);
                }
            }
            for (s, right) in right.remainder().chunks_exact(N).enumerate() {
                let s = depth / STEPS * STEPS + s;
                add_outer(simd, from_fn(|r| rows[r][s]), from_fn(|n| right[n]), &mut sums);
            }
        }
        Left::Columns(values, pitch) => {
            for (left, right) in values.chunks(pitch).zip(right.chunks_exact(N)).take(depth) {
                let left = left.first_chunk::<R>().expect("as many columns as sums");
                add_outer(simd, *left, from_fn(|n| right[n]), &mut sums);
            }
        }
    }
    sums
}

#[inline(always)]
fn add_outer<S: Simd, const R: usize, const N: usize>(
    simd: S,
    left: [f32; R],
    right: [S::f32s; N],
    sums: &mut Sums<S, R, N>,
) {
    for (left, sums) in left.into_iter().zip(sums) {
        let left = simd.splat_f32s(left);
        for (right, sum) in right.into_iter().zip(sums) {
            *sum = simd.mul_add_e_f32s(left, right, *sum);
        }
    }
}

#[inline(always)]
fn add<S: Simd, const R: usize, const N: usize>(
    simd: S,
    sums: Sums<S, R, N>,
    start: usize,
    (out, pitch): (&mut [f32], usize),
    store: Store,
) {
    for (r, sums) in sums.iter().enumerate() {
        let row = &mut out[r * pitch + start..][..N * S::F32_LANES];
        for (to, sum) in S::as_mut_simd_f32s(row).0.iter_mut().zip(sums) {
            *to = match store {
                Store::Set => *sum,
                Store::Add => simd.add_f32s(*to, *sum),
            };
        }
    }
}

/// Evaluates `$call` with the constant `$r` = min(`$left`, [`ROWS`]).
macro_rules! with_rows {
    ($left:expr, $r:ident => $call:expr) => {
        match $left {
            1 => {
                const $r: usize = 1;
                $call
            }
            2 => {
                const $r: usize = 2;
                $call
            }
            3 => {
                const $r: usize = 3;
                $call
            }
            4 => {
                const $r: usize = 4;
                $call
            }
            5 => {
                const $r: usize = 5;
                $call
            }
            _ => {
                const $r: usize = $crate::sweep::micro::ROWS;
                $call
            }
        }
    };
}
pub(super) use with_rows;
