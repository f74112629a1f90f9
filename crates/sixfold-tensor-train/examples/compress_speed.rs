//! CPU time and memory of compressing a table: `compress_speed [V] [D] [RANK] [FILE]`.
//!
//! `RAYON_NUM_THREADS=1 cargo run --release -p sixfold-tensor-train --no-default-features --example
//! compress_speed`; a `.npy` or `.safetensors` file with one matrix takes the place of random numbers.
#![expect(clippy::print_stdout, reason = "it is there to print")]

use std::time::Instant;

use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sixfold_linalg::files::MatrixFile;
use sixfold_tensor_train::decompose::{Table, Target, decompose};
use sixfold_tensor_train::shape::{column_factors, row_factors};

/// Times to repeat.
const ROUNDS: usize = 5;

/// User and system time of this process, in seconds.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    ticks as f64 / 100.0
}

/// The most memory this process ever had, in MiB.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    let kib = line.split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: usize| {
        arguments.get(at).map_or(Ok(default), |argument| argument.parse::<usize>())
    };
    let (vocab, d, rank) = (number(0, 100_000)?, number(1, 512)?, number(2, 64)?);
    if let Some(path) = arguments.get(3) {
        let file = MatrixFile::open(path)?;
        return run(&file.matrix()?, rank);
    }
    let mut generator = ChaCha8Rng::seed_from_u64(0);
    run(&Array2::from_shape_simple_fn((vocab, d), || generator.random_range(-1.0_f32..1.0)), rank)
}

fn run(table: &impl Table, rank: usize) -> Result<(), Box<dyn std::error::Error>> {
    let (vocab, d) = table.dim();
    // The factors of the research prototype for its size.
    let rows = if vocab == 100_000 { vec![40, 50, 50] } else { row_factors(vocab, 3) };
    let columns = column_factors(d, 3);
    let size = (vocab * d * 4) as f64 / f64::from(1 << 20);
    println!("{vocab} × {d}, {rows:?} × {columns:?}, rank {rank}, table {size:.0} MiB");
    for _ in 0..ROUNDS {
        let (wall, before) = (Instant::now(), cpu());
        let found = decompose(table, &rows, &columns, &Target::Rank(rank))?;
        println!(
            "CPU {:5.2} s  wall {:5.2} s  relative error {:.4}  {:.1} times smaller",
            cpu() - before,
            wall.elapsed().as_secs_f64(),
            found.relative_error(),
            found.cores().shape().compression()
        );
    }
    println!("peak {:.0} MiB, {:.2} tables", peak(), peak() / size);
    Ok(())
}
