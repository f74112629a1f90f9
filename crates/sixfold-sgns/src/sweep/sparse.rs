//! Products of a sparse matrix that has the pattern of the counts.

use ndarray::{Array2, ArrayView2, CowArray, Ix2};
use rayon::prelude::*;
use sixfold_linalg::simd::simd;

use crate::Counts;

/// A matrix whose rows are contiguous; a copy of one whose rows are not.
pub(crate) struct Rows<'a> {
    values: CowArray<'a, f32, Ix2>,
    pub(crate) width: usize,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(x: ArrayView2<'a, f32>) -> Self {
        let standard = x.is_standard_layout();
        let values = if standard { x.into() } else { x.as_standard_layout().into_owned().into() };
        Self { width: x.ncols(), values }
    }

    /// All of them, one after the other.
    pub(crate) fn values(&self) -> &[f32] {
        self.values.as_slice().expect("the standard layout")
    }

    pub(crate) fn row(&self, i: usize) -> &[f32] {
        &self.values()[i * self.width..][..self.width]
    }
}

/// E·R, and the sum of what comes with the entries.
///
/// `entry` gives E_ij for the pair at a place of row i, and a number with it.
pub(crate) fn times(
    counts: &Counts,
    right: ArrayView2<'_, f32>,
    entry: impl Fn(usize, usize) -> (f32, f64) + Sync,
) -> (f64, Array2<f32>) {
    let right = Rows::new(right);
    let mut product = Array2::zeros((counts.dim().0, right.width));
    let rows = product.as_slice_mut().expect("a new matrix is contiguous");
    let sums: Vec<f64> = rows
        .par_chunks_mut(right.width.max(1))
        .enumerate()
        .map(|(i, to)| {
            let mut sum = 0.0;
            for (place, &j) in counts.row(i).0.iter().enumerate() {
                let (factor, number) = entry(i, place);
                sum += number;
                add_scaled(to, factor, right.row(j as usize));
            }
            sum
        })
        .collect();
    (sums.iter().sum(), product)
}

/// Eᵀ·L. Threads share out the columns, so that no sum has two writers and its order is fixed.
pub(crate) fn transpose_times(
    counts: &Counts,
    left: ArrayView2<'_, f32>,
    entry: impl Fn(usize, usize) -> (f32, f64) + Sync,
) -> Array2<f32> {
    let left = Rows::new(left);
    let (n, m) = counts.dim();
    let mut product = Array2::zeros((m, left.width));
    let height = m.div_ceil(4 * rayon::current_num_threads()).max(1);
    let rows = product.as_slice_mut().expect("a new matrix is contiguous");
    rows.par_chunks_mut((height * left.width).max(1)).enumerate().for_each(|(part, to)| {
        let (start, end) = (part * height, ((part + 1) * height).min(m));
        for i in 0..n {
            let columns = counts.row(i).0;
            let first = columns.partition_point(|&j| (j as usize) < start);
            let within = columns[first..].iter().take_while(|&&j| (j as usize) < end);
            for (place, &j) in within.enumerate() {
                let (factor, _) = entry(i, first + place);
                let to = &mut to[(j as usize - start) * left.width..][..left.width];
                add_scaled(to, factor, left.row(i));
            }
        }
    });
    product
}

/// to += factor·from
fn add_scaled(to: &mut [f32], factor: f32, from: &[f32]) {
    simd(
        #[inline(always)]
        || {
            for (to, from) in to.iter_mut().zip(from) {
                *to = factor.mul_add(*from, *to);
            }
        },
    );
}
