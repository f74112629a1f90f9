//! Sixfold's side of the comparison with a port of the reference of the paper on Riemannian SGNS.
//! `benches/peers/run_sgns.py` starts it beside `benches/peers/sgns.py`, which reads what it writes on
//! start into `SIXFOLD_POINTS` (the text is `SIXFOLD_CORPUS`): the counts of the n most frequent words as
//! records (word u32, context u32, count f64), and the factors from which both begin.

use std::env;
use std::hint::black_box;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use ndarray::Array2;
use serde_json::json;
use sixfold_benches::peer::{Result, Run, Unit, Work, serve};
use sixfold_benches::product;
use sixfold_linalg::files::{write_atomically, write_npy};
use sixfold_sgns::corpus::{CorpusConfig, Normalise};
use sixfold_sgns::counting::{CountConfig, Unknown, count, import_counts};
use sixfold_sgns::sweep::{HostSweep, Sweep};
use sixfold_sgns::{Metric, Objective, ObjectiveConfig, Solver, SolverConfig, StepSize, initial};

const D: usize = 100;

/// Iterations after which both sides must have the same matrix.
const PARITY: usize = 5;

/// λ·|D|: the paper's largest stable step, whatever the size of the text.
const STEP: f64 = 900.0;

/// The tile of `HostSweep`.
const TILE: [usize; 2] = [96, 384];

fn main() -> Result<()> {
    let dir = PathBuf::from(env::var("SIXFOLD_POINTS").map_err(|_| "SIXFOLD_POINTS is not set")?);
    let mut works = Vec::new();
    for n in [2000, 5000, 10_000] {
        write(&dir, n)?;
        let flop = 8.0 * (n * n * D) as f64;
        let of = dir.clone();
        let name = format!("iteration_{n}");
        works.push(Work::new(name, flop, Unit::Flop, move |_| iteration(&of, n)));
        let of = dir.clone();
        works.push(Work {
            variants: &["rows", "alone", "columns", "gemm"],
            ..Work::new(format!("sweep_{n}"), flop / 2.0, Unit::Flop, move |variant| {
                sweep(&of, n, variant)
            })
        });
    }
    let of = dir.clone();
    works.push(Work::new("parity_2000", 0.0, Unit::Flop, move |_| parity(&of, 2000)));
    let sizes: serde_json::Map<_, _> = [2000, 5000, 10_000]
        .into_iter()
        .map(|n| {
            let objective = objective(&dir, n)?;
            let counts = objective.counts();
            let about = json!({ "non_zeros": counts.non_zeros(), "total": counts.total() });
            Ok((n.to_string(), about))
        })
        .collect::<Result<_>>()?;
    serve(&works, || json!({ "sixfold": env!("CARGO_PKG_VERSION"), "sizes": sizes }))
}

/// Counts and first factors of the n most frequent words, if they are not there.
fn write(dir: &Path, n: usize) -> Result<()> {
    let path = dir.join(format!("counts_{n}.raw"));
    let factors = ["words", "contexts"].map(|side| dir.join(format!("{side}_{n}x{D}.npy")));
    if path.exists() && factors.iter().all(|factor| factor.exists()) {
        return Ok(());
    }
    std::fs::create_dir_all(dir)?;
    let corpus = env::var("SIXFOLD_CORPUS").map_err(|_| "SIXFOLD_CORPUS is not set")?;
    let corpus = CorpusConfig {
        column: Some(1),
        normalise: Normalise::Ascii,
        ..CorpusConfig::new([corpus])
    };
    let config = CountConfig {
        min_count: 1,
        top_n: Some(n),
        window: 2,
        dynamic: false,
        subsample: None,
        unknown: Unknown::KeepPosition,
        ..CountConfig::default()
    };
    let (_, counts) = count(&corpus, &config)?;
    write_atomically(&path, |file| {
        for word in 0..n {
            let (contexts, counts) = counts.row(word);
            for (context, count) in contexts.iter().zip(counts) {
                file.write_all(&(word as u32).to_le_bytes())?;
                file.write_all(&context.to_le_bytes())?;
                file.write_all(&f64::from(*count).to_le_bytes())?;
            }
        }
        Ok(())
    })?;
    let objective = Objective::new(counts, &ObjectiveConfig::default())?;
    let (words, contexts) = initial::from_sppmi(&objective, D, 0)?;
    for (path, factor) in factors.iter().zip([words, contexts]) {
        write_npy(path, factor.view())?;
    }
    Ok(())
}

fn objective(dir: &Path, n: usize) -> Result<Objective> {
    let counts = import_counts(dir.join(format!("counts_{n}.raw")), n)?;
    Ok(Objective::new(counts, &ObjectiveConfig::default())?)
}

fn factors(n: usize) -> Result<[Array2<f32>; 2]> {
    let shape = format!("{n}x{D}");
    let read = |side| sixfold_benches::points::read(side, &shape);
    Ok([read("words")?, read("contexts")?])
}

/// The paper's steps, as many as are asked for.
fn config(objective: &Objective) -> SolverConfig {
    SolverConfig {
        iterations: usize::MAX,
        metric: Metric::Euclidean,
        step: StepSize::Absolute(STEP / objective.counts().total()),
        line_search: false,
        ..SolverConfig::default()
    }
}

fn iteration(dir: &Path, n: usize) -> Result<Run> {
    // It lives as long as the process, as the solver that borrows it.
    let objective: &'static Objective = Box::leak(Box::new(objective(dir, n)?));
    let [a, b] = factors(n)?;
    let sweep = HostSweep::new(objective);
    let mut solver = Solver::new(objective, sweep, (&a, &b), config(objective))?;
    Ok(Box::new(move || {
        black_box(solver.step()?);
        Ok(())
    }))
}

/// A sweep of one product, or what the `gemm` crate needs for products of that shape.
fn sweep(dir: &Path, n: usize, variant: &str) -> Result<Run> {
    if variant == "gemm" {
        return Ok(tiles(n));
    }
    let (objective, variant) = (Rc::new(objective(dir, n)?), variant.to_owned());
    let [a, b] = factors(n)?;
    Ok(Box::new(move || {
        let sweep = HostSweep::new(&objective);
        let (a, b) = (a.view(), b.view());
        match variant.as_str() {
            "rows" => drop(black_box(sweep.rows(a, b, b)?)),
            "alone" => drop(black_box(sweep.rows_without_value(a, b, b)?)),
            _ => drop(black_box(sweep.columns(a, b, a)?)),
        }
        Ok(())
    }))
}

/// Both products of a tile, as often as there are tiles.
fn tiles(n: usize) -> Run {
    let [rows, columns] = TILE;
    let [mut tile, mut sum] = [(rows, columns), (rows, D)].map(Array2::<f32>::zeros);
    let left = Array2::from_shape_fn((rows, D), |(i, j)| ((i * 7 + j) % 13) as f32 - 6.0);
    let right = Array2::from_shape_fn((columns, D), |(i, j)| ((i * 5 + j) % 11) as f32 - 5.0);
    let times = (n * n) as f64 / (rows * columns) as f64;
    Box::new(move || {
        for _ in 0..times.round() as usize {
            product::multiply(tile.view_mut(), left.view(), right.t());
            product::multiply(sum.view_mut(), tile.view(), right.view());
            black_box(&sum);
        }
        Ok(())
    })
}

/// The matrix after some iterations, as its factors.
fn parity(dir: &Path, n: usize) -> Result<Run> {
    let (dir, objective) = (dir.to_owned(), objective(dir, n)?);
    let [a, b] = factors(n)?;
    Ok(Box::new(move || {
        let sweep = HostSweep::new(&objective);
        let mut solver = Solver::new(&objective, sweep, (&a, &b), config(&objective))?;
        for _ in 0..PARITY {
            solver.step()?;
        }
        let (words, contexts) = solver.factors();
        write_npy(dir.join(format!("words_after_{n}.npy")), words.view())?;
        Ok(write_npy(dir.join(format!("contexts_after_{n}.npy")), contexts.view())?)
    }))
}
