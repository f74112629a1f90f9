//! The pairs that were seen, alone: a product of a sparse matrix whose entries depend on X.

use ndarray::{Array2, ArrayView2, CowArray, Ix2};
use rayon::prelude::*;

use super::sigmoid::{exponential, sigmoid, simd, softplus};
use crate::Counts;

/// Σ #(w,c)·log σ(x), and the product of #(w,c)·σ(−x) with R.
///
/// # Complexity
/// 4·non-zeros·d operations.
pub(super) fn by_rows(
    counts: &Counts,
    a: ArrayView2<'_, f32>,
    b: ArrayView2<'_, f32>,
    right: ArrayView2<'_, f32>,
) -> (f64, Array2<f32>) {
    let [a, b, right] = [a, b, right].map(Rows::new);
    let mut product = Array2::zeros((counts.dim().0, right.width));
    let rows = product.as_slice_mut().expect("a new matrix is contiguous");
    let values: Vec<f64> = rows
        .par_chunks_mut(right.width.max(1))
        .enumerate()
        .map(|(i, to)| {
            let (columns, counts) = counts.row(i);
            let mut value = 0.0;
            for (&j, &count) in columns.iter().zip(counts) {
                let (derivative, loss) = pair(a.row(i), b.row(j as usize), count);
                value -= loss;
                add_scaled(to, derivative, right.row(j as usize));
            }
            value
        })
        .collect();
    (values.iter().sum(), product)
}

/// The product of its transpose with L. Threads share out the contexts, so that no sum has two writers.
pub(super) fn by_columns(
    counts: &Counts,
    a: ArrayView2<'_, f32>,
    b: ArrayView2<'_, f32>,
    left: ArrayView2<'_, f32>,
) -> Array2<f32> {
    let [a, b, left] = [a, b, left].map(Rows::new);
    let (n, m) = counts.dim();
    let mut product = Array2::zeros((m, left.width));
    let height = m.div_ceil(4 * rayon::current_num_threads()).max(1);
    let rows = product.as_slice_mut().expect("a new matrix is contiguous");
    rows.par_chunks_mut((height * left.width).max(1)).enumerate().for_each(|(part, to)| {
        let (start, end) = (part * height, ((part + 1) * height).min(m));
        for i in 0..n {
            let (columns, counts) = counts.row(i);
            let first = columns.partition_point(|&j| (j as usize) < start);
            let pairs = columns[first..].iter().zip(&counts[first..]);
            for (&j, &count) in pairs.take_while(|(j, _)| (**j as usize) < end) {
                let (derivative, _) = pair(a.row(i), b.row(j as usize), count);
                let to = &mut to[(j as usize - start) * left.width..][..left.width];
                add_scaled(to, derivative, left.row(i));
            }
        }
    });
    product
}

/// Rows that are contiguous.
struct Rows<'a> {
    values: CowArray<'a, f32, Ix2>,
    width: usize,
}

impl<'a> Rows<'a> {
    fn new(x: ArrayView2<'a, f32>) -> Self {
        let standard = x.is_standard_layout();
        let values = if standard { x.into() } else { x.as_standard_layout().into_owned().into() };
        Self { width: x.ncols(), values }
    }

    fn row(&self, i: usize) -> &[f32] {
        let values = self.values.as_slice().expect("the standard layout");
        &values[i * self.width..][..self.width]
    }
}

/// #(w,c)·σ(−x) and −#(w,c)·log σ(x) of x = a·b.
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
            (count * sigmoid(t, e), loss)
        },
    )
}

/// to += factor·from
pub(crate) fn add_scaled(to: &mut [f32], factor: f32, from: &[f32]) {
    simd(
        #[inline(always)]
        || {
            for (to, from) in to.iter_mut().zip(from) {
                *to = factor.mul_add(*from, *to);
            }
        },
    );
}
