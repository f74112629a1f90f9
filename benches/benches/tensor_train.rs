//! `sixfold-tensor-train`: lookups beside copies of dense rows, heads beside a dense product, TT-SVD and the planner.
//!
//! `cargo bench -p sixfold-benches --no-default-features --bench tensor_train` compiles no burn.

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
};
use ndarray::{Array2, ArrayView2, ArrayViewMut2};
use sixfold_benches::product;
use sixfold_benches::tables::{cores, grad, hidden, shape, zipf};
use sixfold_tensor_train::decompose::{Target, decompose};
use sixfold_tensor_train::logits::{Method, cross_entropy, cross_entropy_backward, logits_into};
use sixfold_tensor_train::lookup::{Plan, backward, forward_into};
use sixfold_tensor_train::shape::row_factors;

/// Rows in thousands, and rank.
const TABLES: [(usize, usize); 3] = [(25, 16), (100, 16), (100, 64)];

/// Ids of a batch.
const IDS: [usize; 2] = [8_192, 65_536];

/// Hidden states of a head.
const HIDDEN: usize = 64;

fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10);
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(2));
    group
}

/// All on this thread, as the gates are; rayon takes it once.
fn alone() {
    rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global().ok();
}

/// Rows of a batch and the gradient of the cores, with the plan made before; bytes are those of the rows.
fn lookups(criterion: &mut Criterion) {
    alone();
    for (thousands, rank) in TABLES {
        let shape = shape(thousands, rank).expect("a rank");
        let cores = cores(&shape).expect("a shape");
        let d = shape.d_embed();
        let mut group = group(criterion, &format!("lookup-{thousands}k-r{rank}"));
        for n in IDS {
            let plan = Plan::new(&shape, &zipf(shape.vocab_size(), n));
            let mut rows = vec![0.0; n * d];
            let grad = grad(rows.len());
            group.throughput(Throughput::Bytes((rows.len() * 4) as u64));
            group.bench_function(BenchmarkId::new("forward", n), |bencher| {
                bencher.iter(|| forward_into(&shape, cores.values(), &plan, &mut rows));
            });
            group.bench_function(BenchmarkId::new("backward", n), |bencher| {
                bencher.iter(|| backward(&shape, cores.values(), &plan, &grad));
            });
        }
    }
}

/// Rows of a dense table, and plans of a batch.
fn dense_rows(criterion: &mut Criterion) {
    for thousands in [25, 100] {
        let shape = shape(thousands, 1).expect("a rank");
        let (vocab, d) = (shape.vocab_size(), shape.d_embed());
        let table = vec![1.0_f32; vocab * d];
        let mut group = group(criterion, &format!("batch-{thousands}k"));
        for n in IDS {
            let ids = zipf(vocab, n);
            let mut rows = vec![0.0; n * d];
            group.throughput(Throughput::Bytes((rows.len() * 4) as u64));
            group.bench_function(BenchmarkId::new("copy", n), |bencher| {
                bencher.iter(|| {
                    for (row, id) in rows.chunks_exact_mut(d).zip(&ids) {
                        row.copy_from_slice(&table[*id as usize * d..][..d]);
                    }
                    black_box(&rows);
                });
            });
            group.throughput(Throughput::Elements(n as u64));
            group.bench_function(BenchmarkId::new("plan", n), |bencher| {
                bencher.iter(|| Plan::new(&shape, &ids));
            });
        }
    }
}

/// Logits of 64 hidden states with 100k × 512, beside the `gemm` crate with a dense table.
fn heads(criterion: &mut Criterion) {
    alone();
    let states = {
        let shape = shape(100, 1).expect("a rank");
        hidden(HIDDEN, shape.d_embed())
    };
    let (vocab, d) = (100_000, states.len() / HIDDEN);
    let mut values = vec![0.0; HIDDEN * vocab];
    let targets: Vec<u32> = zipf(vocab, HIDDEN);
    let mut group = group(criterion, "head-100k");
    group.throughput(Throughput::Elements((2 * HIDDEN * vocab * d) as u64));
    {
        let table = Array2::from_elem((vocab, d), 0.5_f32);
        let hidden = ArrayView2::from_shape((HIDDEN, d), &states).expect("their shape");
        let mut out = ArrayViewMut2::from_shape((HIDDEN, vocab), &mut values).expect("its shape");
        group.bench_function("gemm", |bencher| {
            bencher.iter(|| product::multiply(out.view_mut(), hidden, table.t()));
        });
    }
    for rank in [8, 32] {
        let shape = shape(100, rank).expect("a rank");
        let cores = cores(&shape).expect("a shape");
        let cores = cores.values();
        for (name, method) in [("merged", Method::Merged), ("tiled", Method::Tiled)] {
            let id = |what: &str| BenchmarkId::new(format!("{what}-{name}"), rank);
            let found = cross_entropy(&shape, cores, &states, &targets, method);
            let grad = [1.0 / HIDDEN as f32; HIDDEN];
            group.bench_function(id("logits"), |bencher| {
                bencher.iter(|| {
                    let all = ArrayViewMut2::from_shape((HIDDEN, vocab), &mut values);
                    logits_into(&shape, cores, &states, method, all.expect("its shape"));
                });
            });
            group.bench_function(id("cross-entropy"), |bencher| {
                bencher.iter(|| cross_entropy(&shape, cores, &states, &targets, method));
            });
            group.bench_function(id("cross-entropy-backward"), |bencher| {
                let sums = &found.log_sums;
                bencher.iter(|| {
                    cross_entropy_backward(&shape, cores, &states, &targets, sums, &grad, method)
                });
            });
        }
    }
}

/// From a dense table of 10k × 256 to cores, and row factors of vocabularies that are hard to factor.
fn making(criterion: &mut Criterion) {
    alone();
    let mut group = group(criterion, "making");
    let table = Array2::from_shape_fn((10_000, 256), |(i, j)| ((i * 31 + j * 17) as f32).sin());
    for (name, target) in [("rank-32", Target::Rank(32)), ("error", Target::RelativeError(0.1))] {
        group.bench_function(BenchmarkId::new("tt-svd", name), |bencher| {
            bencher
                .iter(|| decompose(&table, &[20, 20, 25], &[4, 8, 8], &target).expect("a table"));
        });
    }
    // The largest prime below 2²⁴.
    for cores in [3, 6] {
        group.bench_function(BenchmarkId::new("planner", cores), |bencher| {
            bencher.iter(|| row_factors(black_box(16_777_213), cores));
        });
    }
}

criterion_group!(benches, lookups, dense_rows, heads, making);
criterion_main!(benches);
