//! Steps along the Riemannian gradient, and along conjugate directions.

use sixfold_linalg::Real;

use super::config::Direction;
use super::state::Along;
use super::{Solver, Trial};
use crate::sweep::Sweep;
use crate::{FixedRank, Result, Tangent};

/// How much longer or shorter than the last a step may become.
const CHANGE: f64 = 4.0;

impl<T: Real, S: Sweep<T>> Solver<T, S> {
    /// A step from the point with its gradient.
    pub(super) fn along(&self, gradient: &Tangent<T>) -> Result<Trial<T>> {
        let point = &self.state.point;
        let square = gradient.inner(gradient);
        let mut direction = gradient.clone();
        if let (Direction::ConjugateGradient, Some(last)) =
            (self.config.direction, self.state.last.as_deref())
            && let Some(along) = &last.along
        {
            let carried = point.transport(&last.point, &along.gradient);
            let beta = (square - gradient.inner(&carried)) / along.gradient.inner(&along.gradient);
            let onward = point.transport(&last.point, &along.direction);
            let turned = gradient.combine(T::one(), &onward, T::narrow(beta.max(0.0)));
            // One that does not rise starts anew from the gradient.
            if turned.inner(gradient) > 0.0 {
                direction = turned;
            }
        }
        let slope = direction.inner(gradient);
        // For a direction of another length the same curvature gives another step.
        let step = self.state.step * slope / direction.inner(&direction);
        let next = point.retract(&direction, T::narrow(step))?;
        let along = Along { gradient: gradient.clone(), direction, step };
        Ok((next, step * slope, Some(along)))
    }

    /// The length of the next step: 1 over the curvature that the slopes at both ends of this one show.
    pub(super) fn fitted(
        &self,
        next: &FixedRank<T>,
        gradient: &Tangent<T>,
        along: &Along<T>,
    ) -> f64 {
        let Along { gradient: before, direction, step } = along;
        let carried = next.transport(&self.state.point, direction);
        let bent = before.inner(direction) - gradient.inner(&carried);
        let fitted = step * direction.inner(direction) / bent;
        let (least, most) = (self.state.step / CHANGE, self.state.step * CHANGE);
        if bent > 0.0 { fitted.clamp(least, most) } else { most }
    }
}
