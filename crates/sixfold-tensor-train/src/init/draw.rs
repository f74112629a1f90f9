//! Random numbers of variance 1, or nearly so.

use ndarray::Array2;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, Exp1, StandardNormal};
use sixfold_linalg::qr;

use super::moments::CENTRE;
use crate::Result;

pub(super) fn normal(rng: &mut impl Rng) -> f64 {
    StandardNormal.sample(rng)
}

/// A normal number of at least [`CENTRE`] in size; its variance is that of
/// [`tail`](super::moments::tail).
///
/// Numbers beyond the centre are offered from an exponential distribution and taken in proportion to the
/// normal density: 14 of 15 are, where drawing normal ones until one fits would take 1 of 22 (Robert,
/// *Simulation of truncated normal variables*, Statistics and Computing 5, 1995).
pub(super) fn tail(rng: &mut impl Rng) -> f64 {
    let rate = (CENTRE + (CENTRE * CENTRE + 4.0).sqrt()) / 2.0;
    loop {
        let beyond: f64 = Exp1.sample(rng);
        let x = CENTRE + beyond / rate;
        let taken = (-(x - rate).powi(2) / 2.0).exp();
        if rng.random::<f64>() <= taken {
            return if rng.random() { x } else { -x };
        }
    }
}

/// A core `[I_k, r_{k−1}, J_k, r_k]` whose unfolding `[I_k·r_{k−1}·J_k, r_k]` has orthogonal columns (rows
/// if it is wider than high), uniform among such, with entries of variance 1.
pub(super) fn orthogonal(rng: &mut impl Rng, core: [usize; 4]) -> Result<Vec<f64>> {
    let [slices, left, columns, right] = core;
    let (high, wide) = (slices * left * columns, right);
    let (rows, columns) = (high.max(wide), high.min(wide));
    // With a diagonal of R that is not negative, Q is uniform among all (Mezzadri, Notices of the AMS 54,
    // 2007); its entries are uncorrelated, of variance 1/rows.
    let normal = Array2::from_shape_simple_fn((rows, columns), || normal(rng));
    let q = qr(normal.view())?.q * (rows as f64).sqrt();
    let unfolding = if high >= wide { q.view() } else { q.t() };
    Ok(unfolding.iter().copied().collect())
}
