//! The sweeps as they are written down, for oracles and small problems.

use ndarray::{Array2, ArrayView2};
use sixfold_linalg::{Real, matmul};

use super::{Sweep, check};
use crate::{Objective, Result};

/// Sweeps in f64, entry by entry: every term of the objective is a call of `exp` and of `ln_1p`.
///
/// What the fast ones are tested against. It builds the n×m gradient.
#[derive(Clone, Copy, Debug)]
pub struct DenseSweep<'a> {
    objective: &'a Objective,
}

impl<'a> DenseSweep<'a> {
    /// Sweeps of this objective.
    pub fn new(objective: &'a Objective) -> Self {
        Self { objective }
    }

    /// F(X) and ∇F(X) of a whole matrix X, `[n, m]`:
    /// (∇F)_wc = #(w,c)·σ(−x) − b(w)·q(c)·σ(x).
    pub fn gradient(&self, x: ArrayView2<'_, f64>) -> (f64, Array2<f64>) {
        let mut gradient = Array2::zeros(x.dim());
        let mut value = 0.0;
        for (i, (mut gradient, x)) in gradient.rows_mut().into_iter().zip(x.rows()).enumerate() {
            let (columns, counts) = self.objective.counts().row(i);
            let mut pairs = columns.iter().zip(counts).peekable();
            for (j, (gradient, &x)) in gradient.iter_mut().zip(x).enumerate() {
                let a = pairs.next_if(|(column, _)| **column as usize == j);
                let a = a.map_or(0.0, |(_, count)| f64::from(*count));
                let b = self.objective.negative_weight(i, j);
                value -= a * softplus(-x) + b * softplus(x);
                *gradient = a / (1.0 + x.exp()) - b / (1.0 + (-x).exp());
            }
        }
        (value, gradient)
    }
}

impl<T: Real> Sweep<T> for DenseSweep<'_> {
    fn shape(&self) -> [usize; 2] {
        self.objective.dim().into()
    }

    fn rows(
        &self,
        a: ArrayView2<'_, T>,
        b: ArrayView2<'_, T>,
        right: ArrayView2<'_, T>,
    ) -> Result<(f64, Array2<T>)> {
        check(Sweep::<T>::shape(self), a, b, None, Some(right))?;
        let (value, gradient) = self.gradient(product(a, b).view());
        Ok((value, narrow(matmul(gradient.view(), widen(right).view()))))
    }

    fn columns(
        &self,
        a: ArrayView2<'_, T>,
        b: ArrayView2<'_, T>,
        left: ArrayView2<'_, T>,
    ) -> Result<Array2<T>> {
        check(Sweep::<T>::shape(self), a, b, Some(left), None)?;
        let (_, gradient) = self.gradient(product(a, b).view());
        Ok(narrow(matmul(gradient.t(), widen(left).view())))
    }
}

/// log(1 + eˣ)
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

fn product<T: Real>(a: ArrayView2<'_, T>, b: ArrayView2<'_, T>) -> Array2<f64> {
    matmul(widen(a).view(), widen(b).t())
}

fn widen<T: Real>(x: ArrayView2<'_, T>) -> Array2<f64> {
    x.mapv(|x| x.widen())
}

fn narrow<T: Real>(x: Array2<f64>) -> Array2<T> {
    x.mapv(T::narrow)
}
