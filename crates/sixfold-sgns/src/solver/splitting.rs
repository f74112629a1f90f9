//! The paper's step: two QR decompositions instead of a projection and a retraction.

use ndarray::Array2;
use sixfold_linalg::{Real, cholesky_qr2, matmul};

use super::{Solver, Trial, factors};
use crate::sweep::Sweep;
use crate::{FixedRank, Result};

impl<T: Real, S: Sweep<T>> Solver<T, S> {
    /// A step from the point with G·V.
    pub(super) fn split(&self, gv: &Array2<T>) -> Result<Trial<T>> {
        let point = &self.state.point;
        let step = T::narrow(self.state.step);
        let (a, b) = factors(&self.scales, point);
        let k = point.us() + gv * step;
        let u = cholesky_qr2(k.view())?.q;
        drop(k);
        let left = self.scales.rows(u.clone());
        let gtu = self.scales.columns(self.sweep.columns(a.view(), b.view(), left.view())?);
        let turned = matmul(point.s.t(), matmul(point.u.t(), u.view()).view());
        let l = matmul(point.v.view(), turned.view()) + gtu * step;
        let right = cholesky_qr2(l.view())?;
        // ‖G·V‖² is less than the squared norm of the Riemannian gradient: Armijo's rule with it asks
        // for less than that with the norm.
        let promise = self.state.step * crate::manifold::dot(gv, gv);
        Ok((FixedRank { u, s: right.r.reversed_axes(), v: right.q }, promise, None))
    }
}
