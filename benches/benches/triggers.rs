//! `sixfold-triggers`: scores of a whole vocabulary and its best tokens, on the table of BERT-base, beside the raw
//! product of the `gemm` crate.
//!
//! `cargo bench -p sixfold-benches --no-default-features --bench triggers` compiles no burn.

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use gemm::{Parallelism, gemm};
use ndarray::Array2;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use sixfold_triggers::score::rank::{token_scores, top_tokens};

/// Tokens and features of BERT-base.
const TABLE: [usize; 2] = [30_522, 768];

/// The longest trigger.
const LENGTH: usize = 8;

/// Tokens that are tried at each place.
const TOP: usize = 10;

fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(20);
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(2));
    group
}

fn normal(rows: usize, columns: usize, seed: u64) -> Array2<f32> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    Array2::from_shape_simple_fn((rows, columns), || StandardNormal.sample(&mut generator))
}

/// A5: at most 20 ms together on two cores.
fn ranking(criterion: &mut Criterion) {
    let table = normal(TABLE[0], TABLE[1], 1);
    let directions = normal(LENGTH, TABLE[1], 2);
    let allowed: Vec<bool> = (0..TABLE[0]).map(|id| id % 10 != 0).collect();
    let scores = token_scores(directions.view(), table.view());
    let mut group = group(criterion, "rank");
    group.throughput(Throughput::Elements((2 * LENGTH * TABLE[0] * TABLE[1]) as u64));
    group.bench_function("scores", |bencher| {
        bencher.iter(|| token_scores(directions.view(), table.view()));
    });
    group.bench_function("gemm", |bencher| {
        bencher.iter(|| raw(black_box(&directions), &table));
    });
    group.bench_function("top", |bencher| {
        bencher.iter(|| top_tokens(scores.view(), &allowed, TOP));
    });
    group.bench_function("scores-and-top", |bencher| {
        bencher.iter(|| {
            let scores = token_scores(directions.view(), table.view());
            top_tokens(scores.view(), &allowed, TOP)
        });
    });
    group.finish();
}

/// G·Eᵀ as the `gemm` crate computes it on all threads.
#[expect(unsafe_code, reason = "the interface of the gemm crate is made of pointers")]
fn raw(g: &Array2<f32>, e: &Array2<f32>) -> Array2<f32> {
    let ([m, k], n) = ([g.nrows(), g.ncols()], e.nrows());
    let mut c = Array2::zeros((m, n));
    // SAFETY: all three are contiguous, row by row, and as large as m, n and k say.
    unsafe {
        gemm(
            m,
            n,
            k,
            c.as_mut_ptr(),
            1,
            n as isize,
            false,
            g.as_ptr(),
            1,
            k as isize,
            e.as_ptr(),
            k as isize,
            1,
            0.0,
            1.0,
            false,
            false,
            false,
            Parallelism::Rayon(0),
        );
    }
    c
}

criterion_group!(benches, ranking);
criterion_main!(benches);
