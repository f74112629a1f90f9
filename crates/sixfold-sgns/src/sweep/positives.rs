//! The pairs that were seen, alone: a sparse matrix whose entries depend on X = A·Bᵀ.

use ndarray::ArrayView2;
use sixfold_linalg::simd::simd;

use super::sigmoid::{exponential, sigmoid, softplus};
use super::sparse::Rows;
use crate::Counts;

/// For the pair at a place of a row, #(w,c)·σ(−x) and #(w,c)·log σ(x).
pub(super) fn entries<'a>(
    counts: &'a Counts,
    a: ArrayView2<'a, f32>,
    b: ArrayView2<'a, f32>,
) -> impl Fn(usize, usize) -> (f32, f64) + Sync + 'a {
    let [a, b] = [a, b].map(Rows::new);
    move |i, place| {
        let (columns, counts) = counts.row(i);
        pair(a.row(i), b.row(columns[place] as usize), counts[place])
    }
}

/// #(w,c)·σ(−x) and #(w,c)·log σ(x) of x = a·b.
fn pair(a: &[f32], b: &[f32], count: f32) -> (f32, f64) {
    const LANES: usize = 32;
    simd(
        #[inline(always)]
        || {
            let mut lanes = [0.0_f32; LANES];
            let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
            for (a, b) in a.iter().zip(b) {
                for lane in 0..LANES {
                    lanes[lane] = a[lane].mul_add(b[lane], lanes[lane]);
                }
            }
            for ((lane, a), b) in lanes.iter_mut().zip(a_rest).zip(b_rest) {
                *lane = a.mul_add(*b, *lane);
            }
            let t = -lanes.iter().sum::<f32>() * std::f32::consts::LOG2_E;
            let e = exponential(t);
            let loss = f64::from(count * softplus(t, e)) * std::f64::consts::LN_2;
            (count * sigmoid(t, e), -loss)
        },
    )
}
