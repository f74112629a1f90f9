//! The shifted positive PMI matrix and its factorisation, the baseline of Levy and Goldberg.

use ndarray::{Array1, Array2, ArrayView2};
use rayon::prelude::*;
use sixfold_linalg::{LinearOperator, TruncatedSvdConfig, truncated_svd_of};

use crate::sweep::{times, transpose_times};
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

    fn entries(&self) -> impl Fn(usize, usize) -> (f32, f64) + Sync {
        |i, place| (self.values[i][place], 0.0)
    }
}

impl LinearOperator<f32> for Sppmi<'_> {
    fn shape(&self) -> [usize; 2] {
        self.objective.dim().into()
    }

    fn apply(&self, x: ArrayView2<'_, f32>) -> Array2<f32> {
        times(self.objective.counts(), x, self.entries()).1
    }

    fn apply_transpose(&self, x: ArrayView2<'_, f32>) -> Array2<f32> {
        if self.objective.counts().is_symmetric() && self.objective.smoothing_is_symmetric() {
            return self.apply(x);
        }
        transpose_times(self.objective.counts(), x, self.entries())
    }
}
