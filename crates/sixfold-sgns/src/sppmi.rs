//! The shifted positive PMI matrix and its factorisation, the baseline of Levy and Goldberg.

use ndarray::{Array1, Array2, ArrayView2};
use rayon::prelude::*;
use sixfold_linalg::{LinearOperator, TruncatedSvdConfig, truncated_svd_of};

use crate::sweep::add_scaled;
use crate::{Objective, Result};

/// max(log(#(w,c) / (b(w)·q(c))), 0) for the pairs that were seen: PMI − log k with the smoothing of
/// the objective, cut off at 0.
///
/// Sparse: it borrows the pattern of the counts and adds 4 bytes a non-zero.
///
/// # References
/// Levy and Goldberg 2014, *Neural word embedding as implicit matrix factorization*, section 4.2.
#[derive(Clone, Debug)]
#[doc(alias = "SPPMI")]
pub struct Sppmi<'a> {
    objective: &'a Objective,
    /// By rows, as the counts.
    values: Vec<Vec<f32>>,
}

impl<'a> Sppmi<'a> {
    /// The matrix of an objective.
    ///
    /// # Complexity
    /// A logarithm a non-zero.
    pub fn new(objective: &'a Objective) -> Self {
        let of_row = |i: usize| {
            let (columns, counts) = objective.counts().row(i);
            let of_pair = |(&j, &a): (&u32, &f32)| {
                let b = objective.negative_weight(i, j as usize);
                if a > 0.0 && b > 0.0 { (f64::from(a) / b).ln().max(0.0) as f32 } else { 0.0 }
            };
            columns.iter().zip(counts).map(of_pair).collect()
        };
        Self { objective, values: (0..objective.dim().0).into_par_iter().map(of_row).collect() }
    }

    /// Contexts of a word, rising, and the values.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, i: usize) -> (&[u32], &[f32]) {
        (self.objective.counts().row(i).0, &self.values[i])
    }

    /// The d largest singular triplets: U `[n, d]`, Σ `[d]` falling, V `[m, d]`.
    ///
    /// Randomised subspace iteration; `seed` is that of its start.
    ///
    /// # Errors
    /// Those of [`truncated_svd_of`].
    ///
    /// # Complexity
    /// About 14·non-zeros·d operations.
    pub fn svd(&self, d: usize, seed: u64) -> Result<(Array2<f32>, Array1<f32>, Array2<f32>)> {
        let config = TruncatedSvdConfig { seed, ..TruncatedSvdConfig::default() };
        let found = truncated_svd_of(self, d, &config)?;
        Ok((found.u, found.s, found.vt.reversed_axes().as_standard_layout().into_owned()))
    }
}

impl LinearOperator<f32> for Sppmi<'_> {
    fn shape(&self) -> [usize; 2] {
        self.objective.dim().into()
    }

    fn apply(&self, x: ArrayView2<'_, f32>) -> Array2<f32> {
        let x = x.as_standard_layout();
        let x = x.as_slice().expect("the standard layout");
        let width = x.len() / self.objective.dim().1;
        let mut product = Array2::zeros((self.objective.dim().0, width));
        let rows = product.as_slice_mut().expect("a new matrix is contiguous");
        rows.par_chunks_mut(width.max(1)).enumerate().for_each(|(i, row)| {
            let (columns, values) = self.row(i);
            for (&j, &value) in columns.iter().zip(values) {
                add_scaled(row, value, &x[j as usize * width..][..width]);
            }
        });
        product
    }

    fn apply_transpose(&self, x: ArrayView2<'_, f32>) -> Array2<f32> {
        if self.objective.counts().is_symmetric() && self.objective.smoothing_is_symmetric() {
            return self.apply(x);
        }
        // Threads share out the contexts, so that no sum has two writers and its order is fixed.
        let x = x.as_standard_layout();
        let x = x.as_slice().expect("the standard layout");
        let (n, m) = self.objective.dim();
        let width = x.len() / n;
        let mut product = Array2::zeros((m, width));
        let part = m.div_ceil(4 * rayon::current_num_threads()).max(1);
        let rows = product.as_slice_mut().expect("a new matrix is contiguous");
        rows.par_chunks_mut((part * width).max(1)).enumerate().for_each(|(i, rows)| {
            let (start, end) = (i * part, i * part + rows.len() / width);
            for word in 0..n {
                let (columns, values) = self.row(word);
                let first = columns.partition_point(|&j| (j as usize) < start);
                let last = columns.partition_point(|&j| (j as usize) < end);
                for (&j, &value) in columns[first..last].iter().zip(&values[first..last]) {
                    let row = &mut rows[(j as usize - start) * width..][..width];
                    add_scaled(row, value, &x[word * width..][..width]);
                }
            }
        });
        product
    }
}
