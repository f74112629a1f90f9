//! Steps along the Riemannian gradient, and along conjugate directions.

use sixfold_linalg::Real;

use super::config::Direction;
use super::state::Conjugate;
use super::{Solver, Trial};
use crate::sweep::Sweep;
use crate::{Result, Tangent};

impl<T: Real, S: Sweep<T>> Solver<T, S> {
    /// A step from the point with its gradient.
    pub(super) fn along(&self, gradient: &Tangent<T>) -> Result<Trial<T>> {
        let point = &self.state.point;
        let square = gradient.inner(gradient);
        let mut direction = gradient.clone();
        if let (Direction::ConjugateGradient, Some(last)) =
            (self.config.direction, &self.state.conjugate)
        {
            let carried = point.transport(&last.point, &last.gradient);
            let beta = (square - gradient.inner(&carried)) / last.gradient.inner(&last.gradient);
            let along = point.transport(&last.point, &last.direction);
            let turned = gradient.combine(T::one(), &along, T::narrow(beta.max(0.0)));
            // One that does not rise starts anew from the gradient.
            if turned.inner(gradient) > 0.0 {
                direction = turned;
            }
        }
        let promise = self.state.step * direction.inner(gradient);
        let next = point.retract(&direction, T::narrow(self.state.step))?;
        let conjugate = (self.config.direction == Direction::ConjugateGradient).then(|| {
            let (point, gradient) = (point.clone(), gradient.clone());
            Box::new(Conjugate { point, gradient, direction })
        });
        Ok((next, promise, conjugate))
    }
}
