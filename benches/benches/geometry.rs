//! `sixfold-geometry`: neighbours against the raw `gemm` crate, accumulators, and every estimator on
//! one table of neighbours.
//!
//! `cargo bench -p sixfold-benches --no-default-features --bench geometry` compiles no burn.

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
use sixfold_geometry::cloud::{Cloud, RowNorm};
use sixfold_geometry::dimension::*;
use sixfold_geometry::knn::{KnnConfig, neighbours_with};
use sixfold_linalg::{Threads, matmul, qr};

/// Points and coordinates of the searches for neighbours.
const CLOUDS: [[usize; 2]; 4] = [[2_000, 64], [2_000, 768], [8_000, 384], [4_096, 2_048]];

/// Neighbours of TwoNN, and of a scan by GRIDE.
const NEIGHBOURS: [usize; 2] = [2, 64];

/// A Gaussian of ten dimensions in a random frame of d.
fn cloud(n: usize, d: usize) -> Array2<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut normal = |n: usize, d: usize| {
        Array2::<f32>::from_shape_simple_fn((n, d), || StandardNormal.sample(&mut rng))
    };
    let frame = qr(normal(d, 10).view()).expect("finite").q;
    matmul(normal(n, 10).view(), frame.t())
}

fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10);
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(2));
    group
}

/// One thread each. `gemm` makes as many operations as the symmetric distances: n²·d.
fn searches(criterion: &mut Criterion) {
    let mut group = group(criterion, "neighbours");
    for [n, d] in CLOUDS {
        let x = cloud(n, d);
        let shape = format!("{n}x{d}");
        group.throughput(Throughput::Elements((n * n * d) as u64));
        group.bench_function(BenchmarkId::new("gemm", &shape), |b| {
            let mut run = product::distances(x.clone());
            b.iter(|| run().expect("shapes fit"));
        });
        for k in NEIGHBOURS {
            let config = KnnConfig { k, threads: Threads::ONE };
            group.bench_function(BenchmarkId::new(format!("k={k}"), &shape), |b| {
                b.iter(|| neighbours_with(x.view(), &config).expect("finite"));
            });
        }
    }
    group.finish();
}

/// Points a second.
fn accumulators(criterion: &mut Criterion) {
    let mut group = group(criterion, "cloud");
    for [n, d] in [[8192, 384], [4096, 768]] {
        let x = cloud(n, d);
        group.throughput(Throughput::Elements(n as u64));
        for (name, row_norm) in [("update", RowNorm::None), ("update-l2", RowNorm::L2)] {
            group.bench_function(BenchmarkId::new(name, format!("{n}x{d}")), |b| {
                let mut state = Cloud::with_row_norm(d, row_norm);
                b.iter(|| state.update(x.view()).expect("finite"));
            });
        }
    }
    for d in [384, 768] {
        let mut state = Cloud::new(d);
        state.update(cloud(2048, d).view()).expect("finite");
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::new("anisotropy", d), |b| {
            b.iter(|| state.anisotropy().expect("spread"));
        });
        group.bench_function(BenchmarkId::new("spread", d), |b| {
            b.iter(|| state.spread().expect("spread"));
        });
    }
    group.finish();
}

/// Every estimator on one table of 64 neighbours.
fn estimators(criterion: &mut Criterion) {
    let mut group = group(criterion, "estimators");
    let x = cloud(4000, 64);
    let config = KnnConfig { k: 64, threads: Threads::Pool };
    let table = neighbours_with(x.view(), &config).expect("finite");
    let mut bench = |name: &str, run: &dyn Fn() -> sixfold_geometry::Result<Dimension>| {
        group.bench_function(name, |b| b.iter(|| run().expect("an estimate")));
    };
    for (name, method) in [
        ("two-nn-ml", TwoNnMethod::MaximumLikelihood),
        ("two-nn-censored", TwoNnMethod::Censored { discard: 0.1 }),
        ("two-nn-fit", TwoNnMethod::Fit { discard: 0.1 }),
    ] {
        for (of, interval) in [("", Interval::Honest), ("-exact", Interval::Exact)] {
            let config = TwoNnConfig { method, interval };
            bench(&format!("{name}{of}"), &|| two_nn(&table, &config));
        }
    }
    bench("gride-1-2", &|| gride(&table, [1, 2], Interval::Honest));
    bench("gride-32-64", &|| gride(&table, [32, 64], Interval::Honest));
    bench("levina-bickel", &|| levina_bickel(&table, &LevinaBickelConfig::default()));
    bench("mom", &|| mom(&table, &MomConfig::default()));
    bench("mada", &|| mada(&table, &MadaConfig::default()));
    bench("tle", &|| tle(x.view(), &table, &TleConfig::default()));
    bench("local-pca", &|| local_pca(x.view(), &table, &LocalPcaConfig::default()));
    bench("correlation", &|| {
        correlation_dimension(x.view(), &table, &CorrelationConfig::default())
    });
    group.bench_function("gride-scan", |b| {
        b.iter(|| gride_scan(&table, Interval::Honest).expect("estimates"));
    });
    group.bench_function("decimation-scan", |b| {
        b.iter(|| decimation_scan(x.view(), &DecimationConfig::default()).expect("estimates"));
    });
    group.finish();
}

criterion_group!(benches, searches, accumulators, estimators);
criterion_main!(benches);
