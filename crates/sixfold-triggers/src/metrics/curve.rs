//! How fast a search finds what it finds.

use crate::{Error, Forwards, Result};

/// Area under the best fooling rate so far against the work done, over the budget:
/// (1/B) ∫₀ᴮ max {rateᵢ : costᵢ ≤ f} df.
///
/// Each point is a rate and the work that had been done when it was known; before the first the
/// rate is 0. Points beyond the budget do not count. The result lies between 0 and the best
/// rate.
///
/// # Errors
/// [`Error::Config`] for a budget that is not positive and finite; [`Error::NotFinite`];
/// [`Error::Mismatch`] where the work goes back from one point to the next.
///
/// ```
/// use sixfold_triggers::{Forwards, area_under_best};
/// let points = [(Forwards(25.0), 0.2), (Forwards(50.0), 0.1), (Forwards(75.0), 0.6)];
/// let area = area_under_best(&points, Forwards(100.0))?;
/// assert!((area - (0.5 * 0.2 + 0.25 * 0.6)).abs() < 1e-12);
/// # Ok::<(), sixfold_triggers::Error>(())
/// ```
pub fn area_under_best(points: &[(Forwards, f64)], budget: Forwards) -> Result<f64> {
    if !(budget.0 > 0.0 && budget.0.is_finite()) {
        let problems = vec![format!("budget is {}, expected above 0 and finite", budget.0)];
        return Err(Error::Config { problems });
    }
    if let Some(index) = points.iter().position(|(f, r)| !f.0.is_finite() || !r.is_finite()) {
        return Err(Error::NotFinite { what: "a point of the curve", index });
    }
    let (mut area, mut best, mut at) = (0.0, 0.0_f64, 0.0);
    for &(Forwards(cost), rate) in points {
        if cost < at {
            return Err(Error::Mismatch {
                what: "the work at a point of the curve",
                expected: format!("at least {at}"),
                found: cost.to_string(),
            });
        }
        let until = cost.min(budget.0);
        area += best * (until - at.min(budget.0));
        at = cost;
        if cost <= budget.0 {
            best = best.max(rate);
        }
    }
    area += best * (budget.0 - at.min(budget.0));
    Ok(area / budget.0)
}
