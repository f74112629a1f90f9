//! The paper's step: two QR decompositions instead of a projection and a retraction.

use ndarray::Array2;
use sixfold_linalg::{Real, cholesky_qr2, matmul};

use super::state::Last;
use super::{Solver, Trial, factors};
use crate::manifold::dot;
use crate::sweep::Sweep;
use crate::{FixedRank, Result};

impl<T: Real, S: Sweep<T>> Solver<T, S> {
    /// A step from the point with G·V: that of X + β·(X − X₋₁) + η·G.
    pub(super) fn split(&self, gv: &Array2<T>) -> Result<Trial<T>> {
        let point = &self.state.point;
        let step = T::narrow(self.state.step);
        let momentum = if self.config.line_search { self.config.momentum } else { 0.0 };
        let last = self.state.last.as_deref().filter(|_| momentum > 0.0);
        let ahead = |x: Array2<T>, gone: Array2<T>| {
            let momentum = T::narrow(momentum);
            &x + &((&x - &gone) * momentum)
        };

        let (a, b) = factors(&self.scales, point);
        let mut k = point.us();
        if let Some(Last { point: last, .. }) = last {
            let there = matmul(last.s.view(), matmul(last.v.t(), point.v.view()).view());
            k = ahead(k, matmul(last.u.view(), there.view()));
        }
        k.scaled_add(step, gv);
        let u = cholesky_qr2(k.view())?.q;
        drop(k);

        let left = self.scales.rows(u.clone());
        let gtu = self.scales.columns(self.sweep.columns(a.view(), b.view(), left.view())?);
        let seen = |x: &FixedRank<T>| {
            let turned = matmul(x.s.t(), matmul(x.u.t(), u.view()).view());
            matmul(x.v.view(), turned.view())
        };
        let mut l = seen(point);
        if let Some(Last { point: last, .. }) = last {
            l = ahead(l, seen(last));
        }
        l.scaled_add(step, &gtu);
        let right = cholesky_qr2(l.view())?;

        // ‖G·V‖² is less than the squared norm of the Riemannian gradient: Armijo's rule with it asks
        // for less than that with the norm.
        let promise = self.state.step * dot(gv, gv);
        Ok((FixedRank { u, s: right.r.reversed_axes(), v: right.q }, promise, None))
    }
}
