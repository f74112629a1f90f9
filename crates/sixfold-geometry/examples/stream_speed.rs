//! What streaming adds to a forward pass of an encoder of MiniLM's shape over 32 × 64 tokens.
//!
//! `cargo run --release -p sixfold-geometry --example stream_speed [threads]`
//!
//! Two threads, all variants in turns in one run. The first half of the rounds warms up: until every
//! cell has counted something, its memory is new to the process, which no long text notices. Buffers fill in some batches more than in others,
//! so that only means over many batches mean something: of the process's CPU time, which other
//! programs on the machine disturb little, and of wall time, which they do.

#![expect(clippy::print_stdout, reason = "a program")]

use std::error::Error;
use std::time::Instant;

use sixfold_geometry::CloudTap;
use sixfold_model::stats::{MomentTap, TokenClass};
use sixfold_model::{Batch, PaddingSide, Seed, Tap, Transformer, TransformerSpec, device};

const ROWS: usize = 32;
const LEN: usize = 64;
const ROUNDS: usize = 32;

fn main() -> Result<(), Box<dyn Error>> {
    let threads = std::env::args().nth(1).map_or(Ok(2), |threads| threads.parse())?;
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    let spec = TransformerSpec::encoder(30_522, 384, 6, 12);
    let model = Transformer::new(&spec, Seed::new(0), &device("flex")?);
    let row = |i: u32| (0..LEN as u32).map(|j| (i * 7919 + j * 104_729) % 30_522).collect();
    let rows: Vec<Vec<u32>> = (0..ROWS as u32).map(row).collect();
    let batch = Batch::pad(&rows, 0, PaddingSide::Right);
    let classes: Vec<TokenClass> = (0..ROWS * LEN)
        .map(|i| TokenClass {
            first: i % LEN == 0,
            outlier: i % 97 == 0,
            duplicate: (i / 10) % 5 == 0,
        })
        .collect();
    let groups: Vec<usize> = (0..ROWS).map(|row| row % 16).collect();

    let (mut plain, mut cells) = (CloudTap::new(), CloudTap::new());
    let (mut linear, mut linear_cells) = (MomentTap::new(), MomentTap::new());
    let mut times = [[0.0; 2]; 5];
    for round in 0..2 * ROUNDS {
        let run = |tap: &mut dyn Tap, times: &mut [f64; 2]| -> Result<(), Box<dyn Error>> {
            let (start, cpu_start) = (Instant::now(), cpu()?);
            let _ = model.forward_with(&batch, tap)?.into_data();
            if round >= ROUNDS {
                times[0] += (cpu()? - cpu_start) / ROUNDS as f64;
                times[1] += start.elapsed().as_secs_f64() * 1e3 / ROUNDS as f64;
            }
            Ok(())
        };
        run(&mut (), &mut times[0])?;
        plain.begin_all(&batch);
        run(&mut plain, &mut times[1])?;
        cells.begin(&batch, &classes, &groups);
        run(&mut cells, &mut times[2])?;
        linear.begin_all(&batch);
        run(&mut linear, &mut times[3])?;
        linear_cells.begin(&batch, &classes, &groups);
        run(&mut linear_cells, &mut times[4])?;
    }
    let names = [
        "forward alone",
        "clouds, one cell",
        "clouds, classes × 16 groups",
        "with cross moments, one cell",
        "with cross moments, cells",
    ];
    println!("{:30} {:>10}            {:>10}", "", "CPU ms", "wall ms");
    let [cpu_alone, wall_alone] = times[0];
    for (name, [cpu, wall]) in names.iter().zip(times) {
        let (of_cpu, of_wall) = (cpu / cpu_alone - 1.0, wall / wall_alone - 1.0);
        println!(
            "{name:30} {cpu:10.1} {:+8.1} % {wall:10.1} {:+8.1} %",
            100.0 * of_cpu,
            100.0 * of_wall
        );
    }
    Ok(())
}

/// CPU milliseconds of all threads.
fn cpu() -> Result<f64, Box<dyn Error>> {
    // The kernel brings a thread's count up to date when it offers its place.
    std::thread::yield_now();
    let mut nanoseconds = 0.0;
    for task in std::fs::read_dir("/proc/self/task")? {
        let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
        nanoseconds += text.split_whitespace().next().ok_or("no time")?.parse::<f64>()?;
    }
    Ok(nanoseconds * 1e-6)
}
