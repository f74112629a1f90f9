//! The diagonal scaling of a metric.

use ndarray::{Array2, ArrayView2, Axis};
use sixfold_linalg::Real;

use super::config::Metric;
use crate::Objective;

/// p and r of Y = diag(1/p)·X·diag(1/r), and the largest curvature of the objective in Y.
///
/// Scaling maps matrices of rank d to matrices of rank d, so a method for Y needs no other change than
/// that its factors are scaled before a sweep and the products after it.
#[derive(Clone, Debug)]
pub(super) struct Scales<T> {
    p: Vec<T>,
    r: Vec<T>,
    /// max b(w)·q(c)·p²·r²: no entry of the Hessian of −F is larger, for σ(−x)σ(x)·(a + b) = b·σ(x)
    /// at the optimum.
    pub(super) curvature: f64,
}

impl<T: Real> Scales<T> {
    pub(super) fn new(objective: &Objective, metric: Metric) -> Self {
        let power = metric.power();
        let total = objective.counts().total();
        // Words without contexts have no gradient: 0 keeps them at 0.
        let scale = |share: f64| if share > 0.0 { share.powf(-power / 2.0) } else { 0.0 };
        let shares: Vec<f64> = objective.counts().row_sums().iter().map(|n| n / total).collect();
        let q: Vec<f64> = objective.column_weights().iter().map(|q| f64::from(*q)).collect();
        let most = |shares: &[f64]| {
            shares.iter().map(|&share| share * scale(share).powi(2)).fold(0.0, f64::max)
        };
        let curvature = objective.negatives() * total * most(&shares) * most(&q);
        let narrow = |shares: Vec<f64>| shares.into_iter().map(|x| T::narrow(scale(x))).collect();
        Self { p: narrow(shares), r: narrow(q), curvature }
    }

    /// diag(p)·A
    pub(super) fn rows(&self, a: Array2<T>) -> Array2<T> {
        scaled(a, &self.p, |x, p| x * p)
    }

    /// diag(r)·B
    pub(super) fn columns(&self, b: Array2<T>) -> Array2<T> {
        scaled(b, &self.r, |x, r| x * r)
    }

    /// diag(1/p)·A and diag(1/r)·B, for factors of X.
    pub(super) fn unscaled(
        &self,
        a: ArrayView2<'_, T>,
        b: ArrayView2<'_, T>,
    ) -> (Array2<T>, Array2<T>) {
        let divided = |x, scale| if scale > T::zero() { x / scale } else { T::zero() };
        (scaled(a.to_owned(), &self.p, divided), scaled(b.to_owned(), &self.r, divided))
    }
}

fn scaled<T: Real>(mut x: Array2<T>, scales: &[T], f: impl Fn(T, T) -> T) -> Array2<T> {
    for (mut row, &scale) in x.axis_iter_mut(Axis(0)).zip(scales) {
        row.mapv_inplace(|x| f(x, scale));
    }
    x
}
