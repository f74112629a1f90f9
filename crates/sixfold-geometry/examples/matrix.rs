//! Spread and intrinsic dimension of the rows of a matrix in a file:
//! `cargo run --release -p sixfold-geometry --no-default-features --example matrix -- FILE [TENSOR]`,
//! FILE a `.npy`, or a `.safetensors` with one matrix or with the name of the one that is meant.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the purpose of this program")]

use std::error::Error;
use std::process::ExitCode;

use ndarray::ArrayView2;
use sixfold_geometry::dimension::{Caution, Dimension, Interval, TwoNnConfig, gride_scan, two_nn};
use sixfold_geometry::files::{MatrixFile, OnMatrix};
use sixfold_geometry::{Cloud, Result, neighbours};
use sixfold_linalg::Real;

/// Neighbours of each point: GRIDE sees scales up to the 64-th.
const NEIGHBOURS: usize = 64;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let Some(path) = args.next() else {
        eprintln!("usage: matrix FILE.npy | matrix FILE.safetensors [TENSOR]");
        return ExitCode::from(2);
    };
    match report(&path, args.next().as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut cause: Option<&dyn Error> = Some(&error);
            while let Some(error) = cause {
                eprintln!("{error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

fn report(path: &str, tensor: Option<&str>) -> Result<()> {
    let file = MatrixFile::open(path)?;
    let matrix = match tensor {
        Some(name) => file.tensor(name)?,
        None => file.matrix()?,
    };
    matrix.visit(Report)
}

/// What is printed of a matrix of either type.
struct Report;

impl OnMatrix for Report {
    type Output = Result<()>;

    fn on<T: Real>(self, x: ArrayView2<'_, T>) -> Result<()> {
        let (n, d) = x.dim();
        println!("{n} points of {d} coordinates, {}\n", T::NAME);
        spread(x)?;

        let table = neighbours(x, NEIGHBOURS.min(n.saturating_sub(1)))?;
        println!("\npoints with an exact copy   {}", table.duplicates());
        println!("\nintrinsic dimension         estimate [95 % interval]");
        let two_nn = two_nn(&table, &TwoNnConfig::default())?;
        println!("TwoNN                       {}", told(&two_nn));
        for step in gride_scan(&table, Interval::default())? {
            let [near, far] = step.ranks;
            let name = format!("GRIDE of ranks {near}, {far}");
            println!("{name:<27} {}", told(&step.dimension));
        }
        cautions(&two_nn.cautions);
        Ok(())
    }
}

/// How the variance is spread over directions.
fn spread<T: Real>(x: ArrayView2<'_, T>) -> Result<()> {
    let mut cloud = Cloud::new(x.ncols());
    cloud.update(x)?;
    let spread = cloud.spread()?;
    let optional =
        |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.4}"));
    println!("anisotropy                  {:.4}", spread.anisotropy);
    println!("mean cosine                 {}", optional(spread.mean_cosine));
    println!("IsoScore                    {}", optional(spread.iso_score));
    println!("participation ratio         {:.2}", spread.participation_ratio);
    println!("effective rank              {:.2}", spread.effective_rank);
    println!("rank                        {}", spread.rank);
    println!("mean norm                   {:.4}", spread.mean_norm);
    cautions(&spread.cautions);
    Ok(())
}

fn told(dimension: &Dimension) -> String {
    let interval = match dimension.ci95 {
        Some([low, high]) => format!(" [{low:.2}, {high:.2}]"),
        None => String::new(),
    };
    format!("{:.2}{interval} at distance {:.3}", dimension.value, dimension.scale)
}

fn cautions(cautions: &[Caution]) {
    for caution in cautions {
        println!("caution: {caution}");
    }
}
