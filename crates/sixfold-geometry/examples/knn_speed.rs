//! Time and memory of the exact neighbours beside the raw product:
//! `cargo run --release -p sixfold-geometry --no-default-features --example knn_speed -- [N D K DATA]`,
//! DATA one of gaussian (10 directions embedded in D), full, spiked, sinks, mean, f64.
//!
//! One thread, CPU time of that thread; the raw product makes N²·D operations in tiles of 1024.

#![expect(clippy::print_stdout, reason = "the purpose of this program")]

use std::fs;

use ndarray::{Array2, s};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use sixfold_geometry::knn::{KnnConfig, neighbours_and_work};
use sixfold_linalg::{Threads, matmul, matmul_into, qr};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, or: usize| args.get(at).map_or(Ok(or), |text| text.parse());
    let (n, d, k) = (number(0, 10_000)?, number(1, 768)?, number(2, 2)?);
    let data = args.get(3).map_or("gaussian", String::as_str);
    let x = points(n, d, data)?;
    let config = KnnConfig { k, threads: Threads::ONE };
    let (mut best, mut raw, mut memory) = (f64::INFINITY, f64::INFINITY, 0.0_f64);
    let mut found = None;
    let wide = (data == "f64").then(|| x.mapv(f64::from));
    for _ in 0..if n > 20_000 { 1 } else { 3 } {
        raw = raw.min(product(&x)?);
        fs::write("/proc/self/clear_refs", "5")?;
        let (before, start) = (status("VmRSS:")?, cpu_seconds()?);
        found = Some(match &wide {
            Some(wide) => neighbours_and_work(wide.view(), &config)?,
            None => neighbours_and_work(x.view(), &config)?,
        });
        best = best.min(cpu_seconds()? - start);
        memory = memory.max(status("VmHWM:")? - before);
    }
    let Some((table, work)) = found else { return Ok(()) };
    let allowed = 32.0 + (16 * n * k) as f64 / f64::from(1 << 20);
    println!(
        "{data} {n}×{d}, k = {k}: {best:.3} CPU-s, raw product {raw:.3}, ratio {:.2}; \
         {memory:.1} of {allowed:.1} MiB; second pass {} rows, symmetric {}, duplicates {}",
        best / raw,
        work.second_pass,
        work.symmetric,
        table.duplicates()
    );
    Ok(())
}

fn points(n: usize, d: usize, data: &str) -> Result<Array2<f32>, Box<dyn std::error::Error>> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut normal = |n: usize, d: usize| {
        Array2::from_shape_simple_fn((n, d), || StandardNormal.sample(&mut rng))
    };
    if matches!(data, "gaussian" | "f64") {
        let basis: Array2<f32> = normal(d, 10.min(d));
        return Ok(matmul(normal(n, 10.min(d)).view(), qr(basis.view())?.q.t()));
    }
    let mut x: Array2<f32> = normal(n, d);
    match data {
        "full" => {}
        "spiked" => x.column_mut(0).mapv_inplace(|x| 300.0 * x),
        "sinks" => {
            for (i, mut row) in x.rows_mut().into_iter().enumerate() {
                if i % 107 == 0 {
                    row[3] += 2000.0;
                }
            }
        }
        "mean" => x.mapv_inplace(|x| x + 100.0),
        other => return Err(format!("no data is called {other}").into()),
    }
    Ok(x)
}

/// CPU seconds of N²·D operations at the rate of the `gemm` crate on tiles of 1024.
fn product(x: &Array2<f32>) -> std::io::Result<f64> {
    let (n, d) = x.dim();
    let tile = n.min(1024);
    let mut g = Array2::zeros((tile, tile));
    let (start, mut operations) = (cpu_seconds()?, 0.0);
    while operations < 2e10 {
        for j in (0..=n - tile).step_by(tile).take(4) {
            let (a, b) = (x.slice(s![..tile, ..]), x.slice(s![j..j + tile, ..]));
            matmul_into(1.0, a, b.reversed_axes(), 0.0, g.view_mut(), Threads::ONE);
            operations += 2.0 * (tile * tile * d) as f64;
        }
    }
    Ok((cpu_seconds()? - start) * (n as f64).powi(2) * d as f64 / operations)
}

fn cpu_seconds() -> std::io::Result<f64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: f64 = text.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(f64::NAN);
    Ok(nanoseconds * 1e-9)
}

/// A line of the process's status, in MiB.
fn status(name: &str) -> std::io::Result<f64> {
    let text = fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(f64::NAN) / 1024.0)
}
