//! `sixfold-sparsegrad`: selection beside a sort, steps of kept entries, sampled gradients beside dense ones,
//! rotations, updates and calibration, on the shapes of BERT-base.
//!
//! `cargo bench -p sixfold-benches --no-default-features --bench sparsegrad` compiles no burn.

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
};
use ndarray::Array2;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use sixfold_sparsegrad::sampled::{Route, gradient_at_by};
use sixfold_sparsegrad::{
    Basis, Budget, EntryTable, GramCalibration, Kept, Mask, Scores, Selection, SparseAdamConfig,
    Update, top_k,
};

/// A projection of BERT-base.
const SHAPE: [usize; 2] = [768, 3072];

/// Entries that the paper keeps of it.
const KEPT: usize = 28_000;

/// Coordinates of a truncated side.
const RANK: usize = 256;

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

fn normal(rows: usize, columns: usize, seed: u64) -> Array2<f32> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    Array2::from_shape_simple_fn((rows, columns), || StandardNormal.sample(&mut generator))
}

fn drawn(shape: [usize; 2], k: usize, seed: u64) -> Mask {
    let selection = Selection::Random { budget: Budget::Entries(k), seed };
    let basis = Basis::identity(shape[0], shape[1]);
    selection.resolve(&basis, &Scores::default()).expect("a mask")
}

/// A14: 28 000 of 2.36 million, and the sort that it replaces.
fn selection(criterion: &mut Criterion) {
    alone();
    let values = normal(SHAPE[0], SHAPE[1], 1).into_raw_vec_and_offset().0;
    let mut group = group(criterion, "top-k");
    group.throughput(Throughput::Elements(values.len() as u64));
    group.bench_function("radix", |bencher| bencher.iter(|| top_k(&values, KEPT)));
    let equal = vec![1.0_f32; values.len()];
    group.bench_function("radix-equal", |bencher| bencher.iter(|| top_k(&equal, KEPT)));
    group.bench_function("sort", |bencher| {
        bencher.iter(|| {
            let mut order: Vec<u32> = (0..values.len() as u32).collect();
            order.sort_unstable_by_key(|i| (!values[*i as usize].abs().to_bits(), *i));
            order.truncate(KEPT);
            order
        });
    });
    group.finish();
}

/// A15: one step of 28 000 entries, with the mask of the step before, and at worst: with masks that have nothing in common,
/// so that every step merges 28 000 entries into the eightfold that is known and forgets as many.
fn steps(criterion: &mut Criterion) {
    let gradients = normal(1, KEPT, 2).into_raw_vec_and_offset().0;
    let masks: Vec<Mask> = (0..32).map(|seed| drawn(SHAPE, KEPT, seed)).collect();
    let mut weights = vec![0.0_f32; SHAPE[0] * SHAPE[1]];
    let mut group = group(criterion, "adam");
    group.throughput(Throughput::Elements(KEPT as u64));
    for (name, config) in
        [("per-entry", SparseAdamConfig::default()), ("global", SparseAdamConfig::torch())]
    {
        for (moves, masks) in [("fixed", &masks[..1]), ("moving", &masks[..])] {
            let mut table = EntryTable::new(config.clone(), KEPT).expect("a config");
            let mut step = 0;
            group.bench_function(BenchmarkId::new(name, moves), |bencher| {
                bencher.iter(|| {
                    step += 1;
                    let indices = masks[step % masks.len()].indices().expect("some");
                    let kept = Kept { indices, gradients: &gradients, values: None };
                    table.step_scatter(kept, 1e-3, step as u32, &mut weights).expect("a step");
                });
            });
        }
    }
    group.finish();
}

/// Entries of a gradient by both routes, of growing density.
fn sampled(criterion: &mut Criterion) {
    for tokens in [512, 4096] {
        let (x, dy) = (normal(tokens, SHAPE[0], 1), normal(tokens, SHAPE[1], 2));
        let mut group = group(criterion, &format!("sampled-{tokens}"));
        for share in [0.012, 0.05, 0.125, 0.25] {
            let k = (share * (SHAPE[0] * SHAPE[1]) as f64) as usize;
            let mask = drawn(SHAPE, k, 3);
            for (name, route) in [("dots", Route::Sampled), ("dense", Route::Dense)] {
                group.bench_function(BenchmarkId::new(name, share), |bencher| {
                    bencher.iter(|| gradient_at_by(route, x.view(), dy.view(), &mask));
                });
            }
        }
        group.finish();
    }
}

/// Rotations of a gradient and updates of the weights.
fn updates(criterion: &mut Criterion) {
    let [d_in, d_out] = SHAPE;
    let mut weights = normal(d_in, d_out, 1);
    let gradient = normal(d_in, d_out, 2);
    let values = normal(1, KEPT, 3).into_raw_vec_and_offset().0;
    let mut group = group(criterion, "basis");
    for (name, r_in, r_out) in [("corner", RANK, RANK), ("whole", d_in, d_out)] {
        let basis = Basis::random(d_in, d_out, r_in, r_out, 1).expect("ranks");
        let mask = drawn([r_in, r_out], KEPT, 3);
        group.bench_function(BenchmarkId::new("rotate", name), |bencher| {
            bencher.iter(|| basis.rotate(gradient.view()));
        });
        group.bench_function(BenchmarkId::new("apply", name), |bencher| {
            let update = Update::Sparse(&mask, &values);
            bencher.iter(|| basis.apply(update, 1e-3, weights.view_mut()));
        });
    }
    let mask = drawn(SHAPE, KEPT, 3);
    group.bench_function(BenchmarkId::new("apply", "features"), |bencher| {
        let update = Update::Sparse(&mask, &values);
        bencher.iter(|| Basis::identity(d_in, d_out).apply(update, 1e-3, weights.view_mut()));
    });
    group.finish();
}

/// A16: a gradient streamed in, and bases of 256 coordinates from what was seen.
fn calibration(criterion: &mut Criterion) {
    let [d_in, d_out] = SHAPE;
    let mut calibration = GramCalibration::new(d_in, d_out);
    let gradient = normal(d_in, 64, 1).dot(&normal(64, d_out, 2)) + normal(d_in, d_out, 3);
    let mut group = group(criterion, "calibration");
    group.bench_function("add", |bencher| {
        bencher.iter(|| calibration.add(gradient.view()).expect("finite"));
    });
    group.bench_function("finish-256", |bencher| {
        bencher.iter(|| black_box(calibration.finish(RANK, RANK).expect("ranks")));
    });
    group.finish();
}

criterion_group!(benches, selection, steps, sampled, updates, calibration);
criterion_main!(benches);
