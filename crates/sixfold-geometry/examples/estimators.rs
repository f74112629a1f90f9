//! Prints every estimator against the truth as a table in Markdown:
//! `cargo run --release --no-default-features --example estimators [points] [seeds]`.

use ndarray::ArrayView2;
use sixfold_geometry::dimension::{
    CorrelationConfig, Dimension, FisherConfig, Interval, LevinaBickelConfig, LocalPcaConfig,
    MadaConfig, Mean, MomConfig, TleConfig, TwoNnConfig, TwoNnMethod, correlation_dimension,
    fisher_separability, gride, levina_bickel, local_pca, mada, mom, tle, two_nn,
};
use sixfold_geometry::manifolds::Manifold;
use sixfold_geometry::{Error, Neighbours, Result, neighbours};

/// What each column runs, on one table of 64 neighbours.
type Estimator = fn(ArrayView2<'_, f64>, &Neighbours) -> Result<Dimension>;

const COLUMNS: [(&str, Estimator); 12] = [
    ("TwoNN ml", |_, table| two_nn(table, &TwoNnConfig::default())),
    ("TwoNN fit 90 %", |_, table| two_nn(table, &fit(0.1))),
    ("TwoNN fit 20 %", |_, table| two_nn(table, &fit(0.8))),
    ("Levina–Bickel", |_, table| levina_bickel(table, &LevinaBickelConfig::default())),
    ("its arithmetic mean", |_, table| {
        let config = LevinaBickelConfig { mean: Mean::Arithmetic, ..Default::default() };
        levina_bickel(table, &config)
    }),
    ("moments", |_, table| mom(table, &MomConfig::default())),
    ("MADA", |_, table| mada(table, &MadaConfig::default())),
    ("TLE", |x, table| tle(x, table, &TleConfig::default())),
    ("GRIDE 32, 64", |_, table| gride(table, [32, 64], Interval::Honest)),
    ("correlation", |x, table| correlation_dimension(x, table, &CorrelationConfig::default())),
    ("local PCA", |x, table| local_pca(x, table, &LocalPcaConfig::default())),
    ("Fisher", |x, _| fisher_separability(x, &FisherConfig::default())),
];

fn fit(discard: f64) -> TwoNnConfig {
    TwoNnConfig { method: TwoNnMethod::Fit { discard }, ..Default::default() }
}

#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let numbers = std::env::args().skip(1).map(|word| word.parse::<u64>());
    let numbers = numbers.collect::<Result<Vec<_>, _>>()?;
    let points = numbers.first().copied().unwrap_or(2000) as usize;
    let seeds = numbers.get(1).copied().unwrap_or(6);
    print!("| manifold | d in D |");
    COLUMNS.iter().for_each(|(name, _)| print!(" {name} |"));
    println!("\n|---|---|{}", "---:|".repeat(COLUMNS.len()));
    for manifold in Manifold::ALL {
        let mut found = vec![Vec::new(); COLUMNS.len()];
        for seed in 0..seeds {
            let x = manifold.sample(points, seed);
            let table = neighbours(x.view(), 64)?;
            for (found, (_, estimate)) in found.iter_mut().zip(COLUMNS) {
                match estimate(x.view(), &table) {
                    Ok(dimension) => found.push(dimension.value),
                    // In many dimensions all points can be separated.
                    Err(Error::TooFewPoints { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        print!("| {manifold} | {} in {} |", manifold.intrinsic(), manifold.ambient());
        found.iter().for_each(|values| print!(" {} |", mean_and_deviation(values)));
        println!();
    }
    Ok(())
}

/// `mean ± standard deviation`, `–` without values, with two decimals below 20 and one above.
fn mean_and_deviation(values: &[f64]) -> String {
    if values.is_empty() {
        return "–".to_owned();
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let deviation = (squares / (n - 1.0).max(1.0)).sqrt();
    let decimals = if mean < 20.0 { 2 } else { 1 };
    format!("{mean:.decimals$} ± {deviation:.decimals$}")
}
