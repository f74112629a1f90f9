//! Second and fourth moments of drawn entries and of the table that they make.

use crate::TtShape;

/// Standard deviations around 0 that [`SampledGaussian`](super::Initializer::SampledGaussian) leaves out.
pub(super) const CENTRE: f64 = 2.0;

/// Q(2): how likely a standard normal number is above [`CENTRE`].
const BEYOND: f64 = 0.022_750_131_948_179_21;

/// Moments of a symmetric distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Moments {
    pub(super) variance: f64,
    pub(super) kurtosis: f64,
}

/// The moments of a standard normal number that is at least [`CENTRE`] in size.
pub(super) fn tail() -> Moments {
    let c = CENTRE;
    let density = (-c * c / 2.0).exp() / std::f64::consts::TAU.sqrt();
    // Integration by parts, with the hazard φ(c)/Q(c).
    let hazard = density / BEYOND;
    let second = 1.0 + c * hazard;
    let fourth = c.powi(3) * hazard + 3.0 * second;
    Moments { variance: second, kurtosis: fourth / second.powi(2) }
}

/// The kurtosis, the mean of w⁴ beside the squared mean of w², of the table's entries, for independent and
/// symmetric entries of the cores that have the kurtosis `entries`: 3 for normal ones, for which it is
///
/// ∏(1 + 2/r_k) + 2·∏(1 − 1/r_k), both for 0 ≤ k < d
///
/// and so 3·∏(1 + 2/r_k) over the inner ranks of a tensor train, whose r_0 is 1. A normal table has 3.
///
/// ```
/// use sixfold_tensor_train::{TtShape, init::kurtosis};
///
/// let shape = TtShape::train(25_000, [25, 30, 40], [4, 8, 8], 16)?;
/// assert!((kurtosis(&shape, 3.0) - 3.0 * 1.125 * 1.125).abs() < 1e-12);
/// // 1.097 is that of a normal distribution without its centre: the table is nearer to a normal one.
/// assert!((kurtosis(&shape, 1.097) - 3.028).abs() < 0.001);
/// # Ok::<(), sixfold_tensor_train::Error>(())
/// ```
pub fn kurtosis(shape: &TtShape, entries: f64) -> f64 {
    // An entry of the table is a sum over paths, which take one of r_k indices at each bond k. Of the fourth
    // power's four paths, all are at one index of a bond, or in two pairs, which are three states. Core k
    // takes four paths from state to state: with the fourth moment where they stay together, with that of
    // two pairs, 1, where they come together, part, or remain in the same pairs; others have mean 0. What
    // is alike for all three pairings is a matrix of two by two; the rest is multiplied by 1 − 1/r_k.
    let mut product = [[1.0, 0.0], [0.0, 1.0]];
    let mut rest = 1.0;
    for rank in &shape.ranks()[..shape.cores()] {
        let together = 1.0 / *rank as f64;
        let apart = 1.0 - together;
        let core = [[entries * together, 3.0 * together], [apart, apart]];
        let [[a, b], [c, d]] = product;
        let [[e, f], [g, h]] = core;
        product = [[a * e + b * g, a * f + b * h], [c * e + d * g, c * f + d * h]];
        rest *= apart;
    }
    product[0][0] + product[1][1] + 2.0 * rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_has_its_moments() {
        // By Simpson's rule on 2 … 12.
        let step = 1e-3;
        let integral = |power: i32| -> f64 {
            let value = |i: usize| {
                let x = CENTRE + i as f64 * step;
                let weight = if i == 0 || i == 10_000 { 1.0 } else { [2.0, 4.0][i % 2] };
                weight * x.powi(power) * (-x * x / 2.0).exp()
            };
            (0..=10_000).map(value).sum::<f64>() * step / 3.0
        };
        let (mass, second, fourth) = (integral(0), integral(2), integral(4));
        assert!((mass / std::f64::consts::TAU.sqrt() - BEYOND).abs() < 1e-12);
        let Moments { variance, kurtosis } = tail();
        assert!((variance - second / mass).abs() < 1e-9);
        assert!((kurtosis - fourth * mass / second.powi(2)).abs() < 1e-9);
    }

    #[test]
    fn the_formula_of_normal_cores_is_the_recursion() {
        for (rows, ranks) in [
            (vec![4, 4, 4], vec![1, 3, 4, 1]),
            (vec![4; 3], vec![2, 3, 5, 2]),
            (vec![4; 2], vec![8; 3]),
        ] {
            let d = rows.len();
            let shape = TtShape::new(16, rows.clone(), rows, ranks.clone()).unwrap();
            let product = |of: fn(f64) -> f64| -> f64 {
                ranks[..d].iter().map(|rank| of(*rank as f64)).product()
            };
            let expected = product(|r| 1.0 + 2.0 / r) + 2.0 * product(|r| 1.0 - 1.0 / r);
            assert!((kurtosis(&shape, 3.0) - expected).abs() < 1e-12);
        }
    }
}
