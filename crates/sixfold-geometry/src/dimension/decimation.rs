//! TwoNN on ever smaller random parts of a cloud.

use ndarray::{ArrayView2, Axis};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use sixfold_linalg::Real;

use super::{Dimension, TwoNnConfig, two_nn};
use crate::{Result, neighbours};

/// What [`decimation_scan`] computes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DecimationConfig {
    /// Halve the cloud as often as this, unless the parts get too small before.
    pub halvings: usize,
    /// The least points of a part.
    pub min_points: usize,
    /// Shuffle the cloud anew this many times.
    pub repeats: usize,
    /// Of the shuffles.
    pub seed: u64,
    /// The estimator.
    pub two_nn: TwoNnConfig,
}

impl Default for DecimationConfig {
    fn default() -> Self {
        Self { halvings: 8, min_points: 32, repeats: 1, seed: 0, two_nn: TwoNnConfig::default() }
    }
}

/// One size of [`decimation_scan`].
#[derive(Clone, Debug, PartialEq)]
pub struct DecimationStep {
    /// Points of each part.
    pub points: usize,
    /// Parts that were looked at.
    pub parts: usize,
    /// Mean over the parts.
    pub dimension: Dimension,
    /// Standard deviation over the parts; `None` of a single one.
    pub std_dev: Option<f64>,
}

/// TwoNN on the whole cloud, its halves, its quarters, …
///
/// # Errors
/// Those of [`neighbours`] and [`two_nn`].
pub fn decimation_scan<T: Real>(
    x: ArrayView2<'_, T>,
    config: &DecimationConfig,
) -> Result<Vec<DecimationStep>> {
    let n = x.nrows();
    let whole = two_nn(&neighbours(x, 2)?, &config.two_nn)?;
    let mut steps = vec![DecimationStep { points: n, parts: 1, dimension: whole, std_dev: None }];
    let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
    let mut order: Vec<usize> = (0..n).collect();
    for halving in 1..=config.halvings {
        let points = n >> halving;
        if points < config.min_points.max(3) {
            break;
        }
        let mut found = Vec::new();
        for _ in 0..config.repeats {
            order.shuffle(&mut rng);
            for part in order.chunks_exact(points) {
                let table = neighbours(x.select(Axis(0), part).view(), 2)?;
                found.push(two_nn(&table, &config.two_nn)?);
            }
        }
        let parts = found.len() as f64;
        let mean = found.iter().map(|part| part.value).sum::<f64>() / parts;
        let squares: f64 = found.iter().map(|part| (part.value - mean).powi(2)).sum();
        let mut dimension = found.swap_remove(0);
        dimension.value = mean;
        steps.push(DecimationStep {
            points,
            parts: parts as usize,
            dimension,
            std_dev: Some((squares / (parts - 1.0)).sqrt()),
        });
    }
    Ok(steps)
}
