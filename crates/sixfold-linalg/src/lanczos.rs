//! The largest eigenvalue of a symmetric operator.

use ndarray::{Array1, Array2, ArrayView1, Axis, s};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::backend::{self, Columns};
use crate::error::same_shape;
use crate::scale::{ensure_finite_vector, power_of_two};
use crate::{Error, LinearOperator, Real, Result};

/// Basis vectors held before the iteration restarts from the best vector so far.
const BASIS: usize = 64;

/// Steps between two looks at the small eigenproblem.
const LOOK: usize = 4;

/// One eigenpair of a symmetric operator.
#[derive(Clone, Debug, PartialEq)]
pub struct Lanczos {
    /// The largest (most positive) eigenvalue λ.
    pub value: f64,
    /// Its eigenvector v of norm 1, `[n]`.
    pub vector: Array1<f64>,
    /// ‖A·v − λ·v‖, computed from the result; an eigenvalue lies within this of λ.
    pub residual: f64,
    /// Products with A.
    pub iterations: usize,
}

/// The largest eigenvalue of a symmetric matrix or operator, by Lanczos' iteration.
///
/// Full re-orthogonalisation, restarts after 64 steps, a fixed random start: the same operator
/// gives the same result. Vectors are kept in f64; the operator computes in `T`.
///
/// # Shapes
/// `op` is `[n, n]`; that it is symmetric is the caller's promise.
///
/// # Errors
/// `ShapeMismatch`, `Empty`, `NotFinite`, and `NoConvergence` where the residual is still above
/// `tol` times the largest |Ritz value| after `max_iter` products.
///
/// # Complexity
/// `max_iter` products with one vector at most and 4·n·64 operations each; memory 64·n numbers.
///
/// # References
/// Golub and Van Loan, *Matrix Computations*, 4th ed., §10.1; Parlett 1998, §13.
#[doc(alias = "power_iteration")]
pub fn lanczos_largest<T: Real>(
    op: &impl LinearOperator<T>,
    tol: f64,
    max_iter: usize,
) -> Result<Lanczos> {
    let [n, cols] = op.shape();
    same_shape("operator", [n, cols], [n, n])?;
    if n == 0 {
        return Err(Error::Empty { what: "operator" });
    }
    if tol.is_nan() || tol <= 0.0 {
        return Err(Error::InvalidParameter { name: "tol", found: tol, expected: "> 0" });
    }
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut start = Array1::from_shape_simple_fn(n, || rng.random::<f64>() - 0.5);
    let mut iterations = 0;
    while iterations < max_iter {
        let sweep = Sweep::run(op, &start, tol, max_iter - iterations)?;
        iterations += sweep.steps;
        start = sweep.vector;
        if sweep.done {
            let product = apply(op, start.view())?;
            let residual = norm((&product - &(&start * sweep.value)).view());
            return Ok(Lanczos { value: sweep.value, vector: start, residual, iterations });
        }
    }
    Err(Error::NoConvergence { what: "lanczos", iterations })
}

/// One run from a start vector to convergence or to a full basis.
struct Sweep {
    value: f64,
    vector: Array1<f64>,
    steps: usize,
    done: bool,
}

impl Sweep {
    fn run<T: Real>(
        op: &impl LinearOperator<T>,
        start: &Array1<f64>,
        tol: f64,
        budget: usize,
    ) -> Result<Self> {
        let n = start.len();
        let size = BASIS.min(n).min(budget);
        let mut basis = Array2::<f64>::zeros((size, n));
        basis.row_mut(0).assign(&(start / norm(start.view())));
        let (mut diagonal, mut below) = (Vec::new(), Vec::new());
        loop {
            let k = diagonal.len();
            let mut w = apply(op, basis.row(k))?;
            diagonal.push(w.dot(&basis.row(k)));
            // Twice is enough to keep the basis orthogonal to rounding.
            for _ in 0..2 {
                let known = basis.slice(s![..=k, ..]);
                let overlap = known.dot(&w);
                w -= &known.t().dot(&overlap);
            }
            let beta = norm(w.view());
            let full = k + 1 == size;
            let largest =
                diagonal.iter().chain(&below).fold(beta, |m: f64, x: &f64| m.max(x.abs()));
            let broken = beta <= f64::EPSILON * largest;
            if full || broken || (k + 1) % LOOK == 0 {
                let (value, ritz, spread) = top(&diagonal, &below)?;
                let done = beta * ritz[k].abs() <= tol * spread || broken;
                if done || full {
                    let vector = basis.slice(s![..=k, ..]).t().dot(&ritz);
                    let vector = &vector / norm(vector.view());
                    // A basis of the whole space is exact.
                    return Ok(Self { value, vector, steps: k + 1, done: done || k + 1 == n });
                }
            }
            below.push(beta);
            basis.row_mut(k + 1).assign(&(w / beta));
        }
    }
}

/// The largest eigenvalue of the tridiagonal matrix, its vector, and the largest magnitude.
fn top(diagonal: &[f64], below: &[f64]) -> Result<(f64, Array1<f64>, f64)> {
    let k = diagonal.len();
    let largest = diagonal.iter().chain(below).fold(0.0_f64, |m, x| m.max(x.abs()));
    let unit = power_of_two(largest, f64::MAX_SCALE_EXPONENT);
    let mut small = Columns::zeros(k, k);
    for j in 0..k {
        let column = small.column_mut(j);
        column[j] = diagonal[j] / unit;
        if j + 1 < k {
            column[j + 1] = below[j] / unit;
        }
    }
    // The lower triangle is all that is read.
    let (values, vectors) = backend::eigh(&small)?;
    let spread = values[0].abs().max(values[k - 1].abs());
    Ok((values[0] * unit, vectors.view().column(0).to_owned(), spread * unit))
}

fn apply<T: Real>(op: &impl LinearOperator<T>, x: ArrayView1<'_, f64>) -> Result<Array1<f64>> {
    let y = op.apply(x.mapv(T::narrow).insert_axis(Axis(1)).view());
    same_shape("product of the operator", [y.nrows(), y.ncols()], [x.len(), 1])?;
    let y = y.column(0).mapv(T::widen);
    ensure_finite_vector("product of the operator", y.view())?;
    Ok(y)
}

/// Euclidean norm that neither overflows nor underflows.
fn norm(x: ArrayView1<'_, f64>) -> f64 {
    let unit = power_of_two(x.iter().fold(0.0, |m: f64, v| m.max(v.abs())), 1000);
    x.iter().map(|v| (v / unit) * (v / unit)).sum::<f64>().sqrt() * unit
}
