//! How often the 95 % intervals hold: the table of the README, in about a minute in release.
//!
//! `cargo run -p sixfold-geometry --no-default-features --release --example coverage -- [SEEDS [POINTS]]`
//!
//! For each cloud and estimator: the estimator's mean over the seeds, its standard deviation, the
//! mean standard error that it claims against that, and how often its interval holds the mean and
//! the true dimension. An interval cannot know an estimator's bias: the mean is what it is for.

#![expect(clippy::print_stdout, reason = "an example reports what it measured")]

use std::f64::consts::TAU;

use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use sixfold_geometry::dimension::{Dimension, Interval, TwoNnConfig, TwoNnMethod, gride, two_nn};
use sixfold_geometry::{Neighbours, Result, neighbours};

/// Neighbours of each point, for the farthest ranks below.
const K: usize = 16;

type Cloud = fn(usize, &mut ChaCha8Rng) -> Array2<f64>;
type Estimator = fn(&Neighbours, Interval) -> Result<Dimension>;

const CLOUDS: [(&str, f64, Cloud); 5] = [
    ("flat 5-torus", 5.0, torus),
    ("Gaussian, d = 2", 2.0, gaussian::<2>),
    ("Gaussian, d = 5", 5.0, gaussian::<5>),
    ("Gaussian, d = 10", 10.0, gaussian::<10>),
    ("10-sphere", 10.0, sphere),
];

const ESTIMATORS: [(&str, Estimator); 6] = [
    ("TwoNN ML", |table, interval| {
        two_nn(table, &TwoNnConfig { interval, ..TwoNnConfig::default() })
    }),
    ("TwoNN fit 90 %", |table, interval| {
        let method = TwoNnMethod::Fit { discard: 0.1 };
        two_nn(table, &TwoNnConfig { method, interval })
    }),
    ("TwoNN fit 20 %", |table, interval| {
        let method = TwoNnMethod::Fit { discard: 0.8 };
        two_nn(table, &TwoNnConfig { method, interval })
    }),
    ("GRIDE (2, 4)", |table, interval| gride(table, [2, 4], interval)),
    ("GRIDE (4, 8)", |table, interval| gride(table, [4, 8], interval)),
    ("GRIDE (8, 16)", |table, interval| gride(table, [8, 16], interval)),
];

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<usize>());
    let seeds = arguments.next().and_then(Result::ok).unwrap_or(400);
    let points = arguments.next().and_then(Result::ok).unwrap_or(1000);
    println!("{seeds} seeds, {points} points\n");
    println!(
        "| cloud | estimator | mean | sd | se/sd exact | se/sd honest | exact holds the mean | honest holds the mean | honest holds the truth |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for (of, truth, cloud) in CLOUDS {
        let tables: Vec<Neighbours> = (0..seeds)
            .into_par_iter()
            .map(|seed| {
                let mut rng = ChaCha8Rng::seed_from_u64(seed as u64);
                neighbours(cloud(points, &mut rng).view(), K)
            })
            .collect::<Result<_>>()?;
        for (name, estimator) in ESTIMATORS {
            let all = |interval| -> Result<Vec<Dimension>> {
                tables.par_iter().map(|table| estimator(table, interval)).collect()
            };
            let (exact, honest) = (all(Interval::Exact)?, all(Interval::Honest)?);
            let mean = average(&honest, |found| found.value);
            let sd = average(&honest, |found| (found.value - mean).powi(2)).sqrt();
            let claimed = |of| average(of, |found| found.std_error.unwrap_or(f64::NAN)) / sd;
            let holds =
                |of, value| 100.0 * average(of, |found| f64::from(u8::from(within(found, value))));
            println!(
                "| {of} | {name} | {mean:.3} | {sd:.3} | {:.2} | {:.2} | {:.1} % | {:.1} % | {:.1} % |",
                claimed(&exact),
                claimed(&honest),
                holds(&exact, mean),
                holds(&honest, mean),
                holds(&honest, truth),
            );
        }
    }
    Ok(())
}

fn within(found: &Dimension, value: f64) -> bool {
    found.ci95.is_some_and(|[low, high]| low <= value && value <= high)
}

fn average(all: &[Dimension], of: impl Fn(&Dimension) -> f64) -> f64 {
    all.iter().map(of).sum::<f64>() / all.len() as f64
}

fn gaussian<const D: usize>(n: usize, rng: &mut ChaCha8Rng) -> Array2<f64> {
    Array2::from_shape_simple_fn((n, D), || StandardNormal.sample(rng))
}

/// Five circles.
fn torus(n: usize, rng: &mut ChaCha8Rng) -> Array2<f64> {
    let mut x = Array2::zeros((n, 10));
    for mut row in x.rows_mut() {
        for circle in 0..5 {
            let angle = TAU * rng.random::<f64>();
            (row[2 * circle], row[2 * circle + 1]) = (angle.cos(), angle.sin());
        }
    }
    x
}

fn sphere(n: usize, rng: &mut ChaCha8Rng) -> Array2<f64> {
    let mut x = gaussian::<11>(n, rng);
    for mut row in x.rows_mut() {
        let norm = row.dot(&row).sqrt();
        row /= norm;
    }
    x
}
