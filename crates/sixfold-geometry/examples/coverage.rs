//! How often the 95 % intervals hold: the table of the README.
//!
//! `cargo run -p sixfold-geometry --no-default-features --release --example coverage -- [SEEDS [POINTS]]`
//!
//! For each cloud and estimator: the estimator's mean over the seeds and its standard deviation,
//! the standard error that it claims against that, and how often its interval holds the mean and
//! the true dimension. An interval cannot know an estimator's bias: the mean is what it is for.

#![expect(clippy::print_stdout, reason = "an example reports what it measured")]

use ndarray::Array2;
use rayon::prelude::*;
use sixfold_geometry::dimension::{
    Dimension, Interval, LevinaBickelConfig, MadaConfig, Mean, TwoNnConfig, TwoNnMethod, gride,
    levina_bickel, mada, two_nn,
};
use sixfold_geometry::manifolds::{gaussian, sphere, torus};
use sixfold_geometry::{Neighbours, Result, neighbours};

/// Neighbours of each point, for the farthest ranks below.
const K: usize = 32;

/// Of so many points, that dimension, and a seed.
type Cloud = fn(usize, usize, u64) -> Array2<f64>;
type Estimator = fn(&Neighbours, Interval) -> Result<Dimension>;

const CLOUDS: [(&str, usize, Cloud); 5] = [
    ("flat torus", 5, torus),
    ("Gaussian", 2, gaussian),
    ("Gaussian", 5, gaussian),
    ("Gaussian", 10, gaussian),
    ("sphere", 10, sphere),
];

const ESTIMATORS: [(&str, Estimator); 10] = [
    ("TwoNN ML", |table, interval| with(table, TwoNnMethod::MaximumLikelihood, interval)),
    ("TwoNN fit 90 %", |table, interval| with(table, TwoNnMethod::Fit { discard: 0.1 }, interval)),
    ("TwoNN fit 20 %", |table, interval| with(table, TwoNnMethod::Fit { discard: 0.8 }, interval)),
    ("GRIDE (2, 4)", |table, interval| gride(table, [2, 4], interval)),
    ("GRIDE (4, 8)", |table, interval| gride(table, [4, 8], interval)),
    ("GRIDE (8, 16)", |table, interval| gride(table, [8, 16], interval)),
    ("GRIDE (16, 32)", |table, interval| gride(table, [16, 32], interval)),
    ("Levina–Bickel k = 10", |table, _| {
        levina_bickel(table, &LevinaBickelConfig { k: 10, ..Default::default() })
    }),
    ("Levina–Bickel k = 20", |table, _| {
        levina_bickel(table, &LevinaBickelConfig { k: 20, ..Default::default() })
    }),
    ("MADA k = 20", |table, _| mada(table, &MadaConfig { k: 20, mean: Mean::Arithmetic })),
];

fn with(table: &Neighbours, method: TwoNnMethod, interval: Interval) -> Result<Dimension> {
    two_nn(table, &TwoNnConfig { method, interval })
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<usize>());
    let mut argument = |default| arguments.next().and_then(|value| value.ok()).unwrap_or(default);
    let (seeds, points) = (argument(400), argument(1000));
    println!("{seeds} seeds, {points} points; se: claimed standard error, sd: over the seeds\n");
    let columns = [
        "cloud",
        "estimator",
        "mean",
        "sd",
        "se/sd exact",
        "se/sd honest",
        "exact holds the mean",
        "honest holds the mean",
        "honest holds the truth",
    ];
    println!("| {} |\n|{}", columns.join(" | "), "---|".repeat(columns.len()));
    for (of, truth, cloud) in CLOUDS {
        let tables: Vec<Neighbours> = (0..seeds)
            .into_par_iter()
            .map(|seed| neighbours(cloud(points, truth, seed as u64).view(), K))
            .collect::<Result<_>>()?;
        for (name, estimator) in ESTIMATORS {
            let all = |interval| -> Result<Vec<Dimension>> {
                tables.par_iter().map(|table| estimator(table, interval)).collect()
            };
            let (exact, honest) = (all(Interval::Exact)?, all(Interval::Honest)?);
            let mean = average(&honest, |found| found.value);
            let sd = average(&honest, |found| (found.value - mean).powi(2)).sqrt();
            let claimed = |of: &[_]| {
                let error = average(of, |found| found.std_error.unwrap_or(f64::NAN));
                format!("{:.2}", error / sd)
            };
            let holds = |of: &[_], value| {
                let share = average(of, |found| f64::from(within(found, value)));
                format!("{:.1} %", 100.0 * share)
            };
            // Means of local estimates have one interval only.
            let exact_or = |text: String| if exact == honest { "–".to_owned() } else { text };
            let cells = [
                format!("{of}, d = {truth}"),
                name.to_owned(),
                format!("{mean:.3}"),
                format!("{sd:.3}"),
                exact_or(claimed(&exact)),
                claimed(&honest),
                exact_or(holds(&exact, mean)),
                holds(&honest, mean),
                holds(&honest, truth as f64),
            ];
            println!("| {} |", cells.join(" | "));
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
