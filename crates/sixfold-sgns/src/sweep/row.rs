//! One row of a tile: what happens between its two products.

use sixfold_linalg::simd::{folded, simd};

use super::sigmoid::{exponential, log2_of_1_plus};

/// Independent sums of a row: four registers of AVX2, two of AVX-512.
const LANES: usize = 32;

/// What a sweep makes of its tiles beside the products.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// The objective too.
    Wanted,
    /// Only the derivative: a logarithm less for each entry.
    Unwanted,
}

/// A row of a tile. All slices are of one length.
pub(super) struct Row<'a> {
    /// t = x·log₂ e; replaced by the derivative of the objective.
    pub(super) t: &'a mut [f32],
    /// b of the word.
    pub(super) b: f32,
    /// q of the contexts.
    pub(super) q: &'a [f32],
    /// Counts of the pairs, 0 for most.
    pub(super) counts: &'a [f32],
    /// Any numbers.
    pub(super) spare: &'a mut [f32],
}

/// Replaces x of a row by the derivative of the objective, and returns the objective of the row (0 if
/// it is not wanted):
///
/// x_j ← #(w,c_j)·σ(−x_j) − b·q_j·σ(x_j),
/// Σ_j #(w,c_j)·log σ(x_j) + b·q_j·log σ(−x_j).
///
/// Counts are dense here, for a few more operations an entry: to collect and to scatter the entries
/// of positive pairs takes longer from a few in a hundred on.
pub(super) fn derive(row: Row<'_>, value: Value) -> f64 {
    let sum = simd(
        #[inline(always)]
        || match value {
            Value::Wanted => passes::<true>(row),
            Value::Unwanted => passes::<false>(row),
        },
    );
    -f64::from(sum) * std::f64::consts::LN_2
}

/// Three short loops: one long one would wait for itself, for its chain of operations is longer than
/// what a processor looks ahead. Returns the objective in base 2, with the other sign.
#[inline(always)]
fn passes<const VALUE: bool>(row: Row<'_>) -> f32 {
    let Row { t, b, q, counts, spare: exponentials } = row;
    for (e, t) in exponentials.iter_mut().zip(&*t) {
        *e = exponential(*t);
    }
    let mut sum = 0.0;
    if VALUE {
        let mut lanes = [0.0_f32; LANES];
        let ((t, t_rest), (q, q_rest)) = (t.as_chunks::<LANES>(), q.as_chunks::<LANES>());
        let (e, e_rest) = exponentials.as_chunks::<LANES>();
        let (counts, counts_rest) = counts.as_chunks::<LANES>();
        for (((t, q), e), counts) in t.iter().zip(q).zip(e).zip(counts) {
            for lane in 0..LANES {
                lanes[lane] += loss(t[lane], e[lane], b * q[lane], counts[lane]);
            }
        }
        let rest = t_rest.iter().zip(q_rest).zip(e_rest).zip(counts_rest);
        for (lane, (((t, q), e), count)) in lanes.iter_mut().zip(rest) {
            *lane += loss(*t, *e, b * q, *count);
        }
        sum = folded(lanes);
    }
    for (((t, q), e), count) in t.iter_mut().zip(q).zip(exponentials).zip(counts) {
        *t = derivative(*t, *e, b * q, *count);
    }
    sum
}

/// negative·log₂(1 + 2^t) + count·log₂(1 + 2^−t); both logarithms are that of 1 + e and a part of t.
#[inline(always)]
fn loss(t: f32, e: f32, negative: f32, count: f32) -> f32 {
    let (above, below) = if t > 0.0 { (t, 0.0) } else { (0.0, -t) };
    let linear = negative.mul_add(above, count * below);
    (negative + count).mul_add(log2_of_1_plus(e) * e, linear)
}

/// count·σ(−t) − negative·σ(t); neither is 1 minus the other, which would lose the digits of small ones.
#[inline(always)]
fn derivative(t: f32, e: f32, negative: f32, count: f32) -> f32 {
    let (up, down) = if t < 0.0 { (e, 1.0) } else { (1.0, e) };
    count.mul_add(down, -negative * up) / (1.0 + e)
}
