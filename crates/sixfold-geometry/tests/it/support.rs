//! Draws and figures that several topics need.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1};

pub(crate) fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// n draws of ln μ that are exponential with rate d, as r₁ = 1 and r₂ = μ.
pub(crate) fn pareto(n: usize, d: f64, seed: u64) -> (Vec<f64>, Vec<f64>) {
    let mut rng = rng(seed);
    let draw = |_| {
        let x: f64 = Exp1.sample(&mut rng);
        (x / d).exp()
    };
    (vec![1.0; n], (0..n).map(draw).collect())
}

/// Mean and standard deviation.
pub(crate) fn mean_sd(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0)).sqrt())
}
