//! Spheres, tori and Gaussians of any dimension.

use ndarray::Array2;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Points that are uniform on the unit sphere of dimension `d`.
///
/// x = g/‖g‖, g ~ N(0, I) in d + 1 coordinates.
///
/// # Shapes
/// Returns `[n, d + 1]`.
///
/// ```
/// let x = sixfold_geometry::manifolds::sphere(100, 2, 0);
/// assert_eq!(x.dim(), (100, 3));
/// assert!(x.rows().into_iter().all(|row| (row.dot(&row) - 1.0).abs() < 1e-12));
/// ```
pub fn sphere(n: usize, d: usize, seed: u64) -> Array2<f64> {
    fill(n, d + 1, ChaCha8Rng::seed_from_u64(seed), |rng, _, row| unit_vector(rng, row))
}

/// Points that are uniform on the flat torus of dimension `d`: a circle in each pair of coordinates.
///
/// x = (cos θ₁, sin θ₁, …, cos θ_d, sin θ_d), θ uniform on the circle. The surface has neither an
/// edge nor a curvature of its own.
///
/// # Shapes
/// Returns `[n, 2·d]`.
#[doc(alias = "flat_torus")]
pub fn torus(n: usize, d: usize, seed: u64) -> Array2<f64> {
    fill(n, 2 * d, ChaCha8Rng::seed_from_u64(seed), |rng, _, row| {
        for pair in row.chunks_exact_mut(2) {
            let (sin, cos) = (std::f64::consts::TAU * rng.random::<f64>()).sin_cos();
            pair.copy_from_slice(&[cos, sin]);
        }
    })
}

/// Points of the standard normal distribution in `d` coordinates.
///
/// # Shapes
/// Returns `[n, d]`.
pub fn gaussian(n: usize, d: usize, seed: u64) -> Array2<f64> {
    fill(n, d, ChaCha8Rng::seed_from_u64(seed), |rng, _, row| normal_vector(rng, row))
}

/// A cloud whose points are drawn one after the other: `point` gets the number of the row and the row.
pub(super) fn fill(
    n: usize,
    d: usize,
    mut rng: ChaCha8Rng,
    mut point: impl FnMut(&mut ChaCha8Rng, usize, &mut [f64]),
) -> Array2<f64> {
    let mut x = vec![0.0; n * d];
    if d > 0 {
        x.chunks_exact_mut(d).enumerate().for_each(|(i, row)| point(&mut rng, i, row));
    }
    Array2::from_shape_vec((n, d), x).expect("n rows of d numbers were made")
}

/// Fills `row` with independent normal numbers.
pub(super) fn normal_vector(rng: &mut impl Rng, row: &mut [f64]) {
    row.iter_mut().for_each(|x| *x = StandardNormal.sample(rng));
}

/// Fills `row` with a uniform direction.
pub(super) fn unit_vector(rng: &mut impl Rng, row: &mut [f64]) {
    normal_vector(rng, row);
    let norm = row.iter().map(|x| x * x).sum::<f64>().sqrt();
    row.iter_mut().for_each(|x| *x /= norm);
}
