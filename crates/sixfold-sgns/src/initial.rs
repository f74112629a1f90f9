//! Where an optimisation begins: factors A `[n, d]` and B `[m, d]` of X = A·Bᵀ.

use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sixfold_linalg::Real;

use crate::sppmi::Sppmi;
use crate::{Objective, Result};

/// W = U·√Σ and C = V·√Σ of the truncated SVD of the shifted positive PMI matrix: the paper's start.
///
/// # Errors
/// Those of [`Sppmi::svd`].
pub fn from_sppmi(
    objective: &Objective,
    d: usize,
    seed: u64,
) -> Result<(Array2<f32>, Array2<f32>)> {
    let (u, s, v) = Sppmi::new(objective).svd(d, seed)?;
    // A matrix of smaller rank leaves zeros, and QR needs a full one.
    let least = 1e-6 * s[0].max(f32::MIN_POSITIVE);
    let roots = s.mapv(|s| s.max(least).sqrt());
    Ok((u * &roots, v * &roots))
}

/// Uniform numbers within ±1/(2d), as word2vec begins with its words.
///
/// The same seed gives the same numbers.
///
/// # Errors
/// [`Error::InvalidParameter`](crate::Error::InvalidParameter) for a rank out of range.
pub fn random<T: Real>(
    objective: &Objective,
    d: usize,
    seed: u64,
) -> Result<(Array2<T>, Array2<T>)> {
    objective.check_rank(d)?;
    let (n, m) = objective.dim();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let width = 1.0 / d as f64;
    let mut draw = |rows| {
        Array2::from_shape_simple_fn((rows, d), || T::narrow((rng.random::<f64>() - 0.5) * width))
    };
    Ok((draw(n), draw(m)))
}
