//! Clouds and ratios that several topics need.

use std::f64::consts::TAU;

use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1, StandardNormal};

pub(crate) fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// n draws of ln μ that are exponential with rate d, as r₁ = 1 and r₂ = μ.
pub(crate) fn pareto(n: usize, d: f64, rng: &mut ChaCha8Rng) -> (Vec<f64>, Vec<f64>) {
    let draw = |_| {
        let x: f64 = Exp1.sample(rng);
        (x / d).exp()
    };
    (vec![1.0; n], (0..n).map(draw).collect())
}

/// n points of the standard normal distribution in d dimensions.
pub(crate) fn gaussian(n: usize, d: usize, rng: &mut ChaCha8Rng) -> Array2<f64> {
    Array2::from_shape_simple_fn((n, d), || StandardNormal.sample(rng))
}

/// n points of the flat torus of d circles, in 2·d coordinates.
pub(crate) fn torus(n: usize, d: usize, rng: &mut ChaCha8Rng) -> Array2<f64> {
    let mut x = Array2::zeros((n, 2 * d));
    for mut row in x.rows_mut() {
        for circle in 0..d {
            let angle = TAU * rng.random::<f64>();
            row[2 * circle] = angle.cos();
            row[2 * circle + 1] = angle.sin();
        }
    }
    x
}

/// Mean and standard deviation.
pub(crate) fn mean_sd(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0)).sqrt())
}
