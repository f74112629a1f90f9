//! One tile of a sweep: what happens between its two products.

use super::sigmoid::{exponential, sigmoid, simd, softplus};

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

/// Buffers of a row.
#[derive(Default)]
pub(super) struct Spare {
    of_row: Vec<f32>,
    of_positives: Vec<f32>,
}

/// A row of a tile.
pub(super) struct Row<'a> {
    /// t = x·log₂ e; replaced by the derivative of the objective.
    pub(super) t: &'a mut [f32],
    /// b of the word.
    pub(super) b: f32,
    /// q of the contexts.
    pub(super) q: &'a [f32],
    /// The first context.
    pub(super) start: usize,
    /// Contexts with a count.
    pub(super) columns: &'a [u32],
    /// Their counts.
    pub(super) counts: &'a [f32],
}

/// Replaces x of a row by the derivative of the objective, and returns the objective of the row (0 if
/// it is not wanted):
///
/// x_j ← #(w,c_j)·σ(−x_j) − b·q_j·σ(x_j),
/// Σ_j #(w,c_j)·log σ(x_j) + b·q_j·log σ(−x_j).
pub(super) fn derive(row: Row<'_>, spare: &mut Spare, value: Value) -> f64 {
    let Row { t, b, q, start, columns, counts } = row;
    let Spare { of_row, of_positives } = spare;
    of_row.resize(t.len(), 0.0);
    let at = |j: u32| j as usize - start;
    // The pass over all entries overwrites t.
    of_positives.clear();
    of_positives.extend(columns.iter().map(|&j| t[at(j)]));
    let (negative, positive) = simd(
        #[inline(always)]
        || match value {
            Value::Wanted => (
                negatives::<true>(t, b, q, of_row),
                positives::<true>(of_positives, counts, of_row),
            ),
            Value::Unwanted => (
                negatives::<false>(t, b, q, of_row),
                positives::<false>(of_positives, counts, of_row),
            ),
        },
    );
    for (&j, derivative) in columns.iter().zip(&*of_positives) {
        t[at(j)] += derivative;
    }
    -(f64::from(b) * f64::from(negative) + positive) * std::f64::consts::LN_2
}

/// t_j ← −b·q_j·σ_j; returns Σ_j q_j·log₂(1 + 2^t_j).
///
/// Three short loops: one long one would wait for itself, for its chain of operations is longer than
/// what a processor looks ahead.
#[inline(always)]
fn negatives<const VALUE: bool>(t: &mut [f32], b: f32, q: &[f32], spare: &mut [f32]) -> f32 {
    let exponentials = &mut spare[..t.len()];
    for (e, t) in exponentials.iter_mut().zip(&*t) {
        *e = exponential(*t);
    }
    let mut sum = 0.0;
    if VALUE {
        let mut lanes = [0.0_f32; LANES];
        let ((t, t_rest), (q, q_rest)) = (t.as_chunks::<LANES>(), q.as_chunks::<LANES>());
        let (e, e_rest) = exponentials.as_chunks::<LANES>();
        for ((t, q), e) in t.iter().zip(q).zip(e) {
            for lane in 0..LANES {
                lanes[lane] = q[lane].mul_add(softplus(t[lane], e[lane]), lanes[lane]);
            }
        }
        for (((lane, t), q), e) in lanes.iter_mut().zip(t_rest).zip(q_rest).zip(e_rest) {
            *lane = q.mul_add(softplus(*t, *e), *lane);
        }
        sum = folded(lanes);
    }
    for ((t, q), e) in t.iter_mut().zip(q).zip(exponentials) {
        *t = -b * q * sigmoid(*t, *e);
    }
    sum
}

/// t_k ← count_k·(1 − σ_k); returns −Σ_k count_k·log₂ σ_k.
#[inline(always)]
fn positives<const VALUE: bool>(t: &mut [f32], counts: &[f32], spare: &mut [f32]) -> f64 {
    let terms = &mut spare[..t.len()];
    for ((t, count), term) in t.iter_mut().zip(counts).zip(&mut *terms) {
        let e = exponential(*t);
        if VALUE {
            *term = count * softplus(-*t, e);
        }
        *t = count * sigmoid(-*t, e);
    }
    if VALUE { terms.iter().map(|term| f64::from(*term)).sum() } else { 0.0 }
}

#[inline(always)]
fn folded(mut lanes: [f32; LANES]) -> f32 {
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
        width /= 2;
    }
    lanes[0]
}
