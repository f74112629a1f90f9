//! `sixfold-linearity`: moments of a transition against the raw `gemm` crate, and what is solved
//! from them.
//!
//! `cargo bench -p sixfold-benches --no-default-features --bench linearity` compiles no burn.

use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
};
use ndarray::Array2;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use sixfold_benches::product;
use sixfold_linalg::PairMoments;
use sixfold_linearity::{Transition, compat};

/// Tokens and width.
const SHAPES: [[usize; 2]; 3] = [[16_384, 64], [8192, 384], [4096, 768]];

/// States before and after a layer that adds tanh of what it sees.
fn states(n: usize, d: usize) -> [Array2<f32>; 2] {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let x = Array2::<f32>::from_shape_simple_fn((n, d), || StandardNormal.sample(&mut rng));
    let y = &x + &x.mapv(|v| 0.5 * (3.0 * v).tanh());
    [x, y]
}

fn moments(x: &Array2<f32>, y: &Array2<f32>) -> PairMoments {
    let mut pair = PairMoments::new(x.ncols(), y.ncols());
    pair.update(x.view(), y.view()).expect("finite");
    pair
}

fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10);
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(2));
    group
}

/// From raw states to moments; `gemm` makes the same products, 3·n·d² operations, on one thread.
fn accumulate(criterion: &mut Criterion) {
    let mut group = group(criterion, "moments");
    for [n, d] in SHAPES {
        let [x, y] = states(n, d);
        let shape = format!("{n}x{d}");
        group.throughput(Throughput::Elements((3 * n * d * d) as u64));
        group.bench_function(BenchmarkId::new("gemm", &shape), |b| {
            let mut run = product::transition(x.clone(), y.clone());
            b.iter(|| run().expect("shapes fit"));
        });
        group.bench_function(BenchmarkId::new("pair", &shape), |b| b.iter(|| moments(&x, &y)));
    }
}

/// From moments to numbers.
fn solve(criterion: &mut Criterion) {
    let mut group = group(criterion, "transition");
    for [n, d] in SHAPES {
        let [x, y] = states(n, d);
        let (train, test) = (moments(&x, &y), moments(&y, &x));
        let (train, test) = (Transition::from(&train), Transition::from(&test));
        let map = train.affine_map().expect("defined");
        group.bench_function(BenchmarkId::new("linearity", d), |b| b.iter(|| train.linearity()));
        group.bench_function(BenchmarkId::new("affine_map", d), |b| b.iter(|| train.affine_map()));
        group.bench_function(BenchmarkId::new("held_out", d), |b| b.iter(|| map.score(&test)));
        group.bench_function(BenchmarkId::new("procrustes", d), |b| {
            b.iter(|| train.procrustes_orthogonal());
        });
        group.bench_function(BenchmarkId::new("cka", d), |b| b.iter(|| train.cka()));
    }
}

/// The score by the route of the paper's own code, an SVD of all states.
fn official(criterion: &mut Criterion) {
    let mut group = group(criterion, "compat");
    let [x, y] = states(4096, 64);
    group.bench_function("4096x64", |b| {
        b.iter(|| compat::procrustes_similarity(x.view(), y.view()));
    });
}

criterion_group!(benches, accumulate, solve, official);
criterion_main!(benches);
