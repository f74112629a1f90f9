//! `sixfold-sgns`: sweeps against the raw `gemm` crate, a step, and the counting of pairs.
//!
//! `cargo bench -p sixfold-benches --no-default-features --bench sgns` compiles no burn.

use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
};
use ndarray::{Array2, s};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sixfold_linalg::{Threads, matmul_into};
use sixfold_sgns::sweep::{HostSweep, Sweep};
use sixfold_sgns::{Counts, Objective, ObjectiveConfig, Solver, SolverConfig, Sppmi};

/// Words.
const SIZES: [usize; 2] = [1000, 3000];

/// The rank.
const RANK: usize = 100;

/// Rows and columns of the tile that a sweep works on.
const TILE: [usize; 2] = [96, 384];

fn uniform(rows: usize, rng: &mut ChaCha8Rng) -> Array2<f32> {
    Array2::from_shape_simple_fn((rows, RANK), || rng.random::<f32>() - 0.5)
}

/// Counts of which a twentieth are not 0, most of frequent words.
fn objective(n: usize) -> Objective {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let (mut offsets, mut columns, mut values) = (vec![0], Vec::new(), Vec::new());
    for _ in 0..n {
        let drawn = |_| (rng.random::<f64>().powi(2) * n as f64) as u32;
        let mut of_row: Vec<u32> = (0..n / 20).map(drawn).collect();
        of_row.sort_unstable();
        of_row.dedup();
        values.extend(of_row.iter().map(|_| (rng.random::<f64>() * 10.0).ceil()));
        columns.extend(of_row);
        offsets.push(columns.len());
    }
    let counts = Counts::from_rows(n, offsets, columns, values).expect("rising columns");
    Objective::new(counts, &ObjectiveConfig::default()).expect("the defaults")
}

fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10);
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(2));
    group
}

/// Sweeps on one thread; `gemm` makes the products of all their tiles.
fn sweeps(criterion: &mut Criterion) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one thread");
    let mut group = group(criterion, "sweep");
    for n in SIZES {
        let objective = objective(n);
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let (a, b) = (uniform(n, &mut rng), uniform(n, &mut rng));
        let sweep = HostSweep::new(&objective);
        group.throughput(Throughput::Elements((n * n) as u64));
        group.bench_function(BenchmarkId::new("gemm", n), |bencher| {
            let [rows, columns] = TILE;
            let (left, right) = (a.slice(s![..rows, ..]), b.slice(s![..columns, ..]));
            let mut tile = Array2::<f32>::zeros((rows, columns));
            let mut out = Array2::<f32>::zeros((rows, RANK));
            bencher.iter(|| {
                for _ in 0..n * n / (rows * columns) {
                    matmul_into(1.0, left, right.t(), 0.0, tile.view_mut(), Threads::ONE);
                    matmul_into(1.0, tile.view(), right, 1.0, out.view_mut(), Threads::ONE);
                }
            });
        });
        let mut bench = |name: &str, run: &(dyn Fn() + Sync)| {
            group.bench_function(BenchmarkId::new(name, n), |bencher| {
                bencher.iter(|| pool.install(run));
            });
        };
        let (a, b) = (a.view(), b.view());
        bench("rows", &|| drop(sweep.rows(a, b, b).expect("shapes fit")));
        bench("columns", &|| drop(sweep.columns(a, b, a).expect("shapes fit")));
        bench("both", &|| drop(sweep.both(a, b, a, b).expect("shapes fit")));
    }
}

/// A step of the solver and the start.
fn steps(criterion: &mut Criterion) {
    let mut group = group(criterion, "solver");
    for n in SIZES {
        let objective = objective(n);
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let (a, b) = (uniform(n, &mut rng), uniform(n, &mut rng));
        let config = SolverConfig { iterations: usize::MAX, ..SolverConfig::default() };
        let sweep = HostSweep::new(&objective);
        let mut solver = Solver::new(&objective, sweep, (&a, &b), config).expect("a start");
        group.bench_function(BenchmarkId::new("step", n), |bencher| {
            bencher.iter(|| solver.step().expect("the line search"));
        });
        group.bench_function(BenchmarkId::new("sppmi-svd", n), |bencher| {
            bencher.iter(|| Sppmi::new(&objective).svd(RANK, 0).expect("enough words"));
        });
    }
}

criterion_group!(benches, sweeps, steps);
criterion_main!(benches);
