//! The Gram matrix of one side, half of it, and its leading eigenvectors.

use ndarray::{Array2, ArrayView2, Axis, ShapeBuilder, s};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use sixfold_linalg::{Threads, cholesky_qr2, eigh, matmul, matmul_into};

use crate::Result;
use crate::basis::make::{gaussian, signed};
use crate::product::{alone, product_into};

/// Columns of one task; what the widest kernel of `gemm` takes at once.
const STRIP: usize = 64;

/// Sides up to this are decomposed in full: they take no longer.
const SMALL: usize = 512;

/// Iterations of the subspace at most. Where the spectrum is flat it never settles, and need not: any
/// direction then holds as much as any other.
const ITERATIONS: usize = 12;

/// Σ XᵀX over blocks X of d columns, in f64.
///
/// The upper triangle alone is stored, column by column, so that f64 takes no more than a square of f32.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Gram {
    pub(super) d: usize,
    packed: Vec<f64>,
}

/// Eigenvalues, descending, and eigenvectors in columns.
pub(super) struct Leading {
    pub(super) values: Vec<f64>,
    pub(super) vectors: Array2<f32>,
}

/// Where column `j` starts.
fn start(j: usize) -> usize {
    j * (j + 1) / 2
}

impl Gram {
    pub(super) fn new(d: usize) -> Self {
        Self { d, packed: vec![0.0; start(d)] }
    }

    /// Adds XᵀX; the largest magnitude of X has the exponent `exponent`.
    ///
    /// Products run in f32 on one factor scaled so that squares neither vanish nor overflow; sums in f64.
    pub(super) fn add(&mut self, x: ArrayView2<'_, f32>, exponent: i32) {
        let power = (-2 * exponent).clamp(-120, 120);
        let (factor, back) = (2.0_f32.powi(power), 2.0_f64.powi(-power));
        let d = self.d;
        self.strips().into_par_iter().for_each(|(from, packed)| {
            let end = (from + STRIP).min(d);
            let right = x.slice(s![.., from..end]).mapv(|x| x * factor);
            let mut block = Array2::zeros((end, end - from).f());
            let left = x.slice(s![.., ..end]);
            matmul_into(1.0, left.t(), right.view(), 0.0, block.view_mut(), Threads::ONE);
            let block = block.t();
            let mut rest = packed;
            for (row, j) in block.rows().into_iter().zip(from..end) {
                let (column, next) = rest.split_at_mut(j + 1);
                for (sum, x) in column.iter_mut().zip(row) {
                    *sum += f64::from(*x) * back;
                }
                rest = next;
            }
        });
    }

    /// The columns in groups, each with its first.
    fn strips(&mut self) -> Vec<(usize, &mut [f64])> {
        let mut rest = self.packed.as_mut_slice();
        let mut strips = Vec::new();
        for from in (0..self.d).step_by(STRIP) {
            let (strip, next) = rest.split_at_mut(start((from + STRIP).min(self.d)) - start(from));
            strips.push((from, strip));
            rest = next;
        }
        strips
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (sum, x) in self.packed.iter_mut().zip(&other.packed) {
            *sum += x;
        }
    }

    /// The sum of all eigenvalues.
    pub(super) fn trace(&self) -> f64 {
        (0..self.d).map(|j| self.packed[start(j) + j]).sum()
    }

    /// The `r` leading eigenpairs.
    pub(super) fn leading(&self, r: usize) -> Result<Leading> {
        let (values, mut vectors) = if self.d > SMALL && 4 * r <= self.d {
            self.by_iteration(r)?
        } else {
            let dense = self.rows(0, self.d);
            let found = alone(|| eigh(dense.view()))?;
            (found.values.to_vec(), found.vectors)
        };
        signed(&mut vectors);
        let vectors = vectors.slice(s![.., ..r]).mapv(|x| x as f32);
        // Rounding may leave what should be 0 below it.
        let values = values.iter().take(r).map(|x| x.max(0.0)).collect();
        Ok(Leading { values, vectors })
    }

    /// Subspace iteration, and the eigenpairs of the matrix within what it found.
    fn by_iteration(&self, r: usize) -> Result<(Vec<f64>, Array2<f64>)> {
        let width = (r + 16 + r / 8).min(self.d);
        let mut generator = ChaCha8Rng::seed_from_u64(0);
        let mut y = gaussian([self.d, width], &mut generator);
        let mut q = y.clone();
        let mut before = 0.0;
        for _ in 0..ITERATIONS {
            q = alone(|| cholesky_qr2(y.view()))?.q;
            y = self.times(q.view());
            let held: f64 = q.iter().zip(&y).map(|(q, y)| q * y).sum();
            if held - before <= 1e-6 * held {
                break;
            }
            before = held;
        }
        let mut within = Array2::zeros((width, width));
        product_into(1.0, q.t(), y.view(), 0.0, within.view_mut());
        let found = alone(|| eigh(within.view()))?;
        let vectors = alone(|| matmul(q.view(), found.vectors.slice(s![.., ..r])));
        Ok((found.values.to_vec(), vectors))
    }

    /// The matrix times `x`, unpacked a few rows at a time.
    fn times(&self, x: ArrayView2<'_, f64>) -> Array2<f64> {
        let mut y = Array2::zeros((self.d, x.ncols()));
        let strips: Vec<_> = y.axis_chunks_iter_mut(Axis(0), STRIP).enumerate().collect();
        strips.into_par_iter().for_each(|(strip, y)| {
            let from = strip * STRIP;
            let rows = self.rows(from, from + y.nrows());
            matmul_into(1.0, rows.view(), x, 0.0, y, Threads::ONE);
        });
        y
    }

    /// Some rows of the whole matrix.
    fn rows(&self, from: usize, to: usize) -> Array2<f64> {
        let mut rows = Array2::zeros((to - from, self.d));
        for (mut row, i) in rows.rows_mut().into_iter().zip(from..to) {
            for (j, x) in row.iter_mut().enumerate() {
                *x = if j <= i { self.packed[start(i) + j] } else { self.packed[start(j) + i] };
            }
        }
        rows
    }
}
