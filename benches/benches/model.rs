//! `sixfold-model`: what taps cost a forward pass.

use std::hint::black_box;

use burn::tensor::Tensor;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sixfold_benches::{batch, minilm, stories};
use sixfold_model::stats::{MomentTap, TokenClass};
use sixfold_model::{Batch, Seed, Site, Tap, Transformer, TransformerSpec};

/// Sees every site and changes nothing.
struct Watch;

impl Tap for Watch {
    fn visit(&mut self, _: Site, x: Tensor<3>) -> Tensor<3> {
        x
    }
}

fn run(model: &Transformer, batch: &Batch, tap: &mut dyn Tap) {
    black_box(model.forward_with(batch, tap).expect("a valid batch").into_data());
}

fn taps(criterion: &mut Criterion) {
    let device = sixfold_model::device("flex").expect("compiled in");
    let mut group = criterion.benchmark_group("taps");
    group.sample_size(20);
    let shapes: [(&str, TransformerSpec, [usize; 2]); 2] =
        [("minilm", minilm(), [8, 128]), ("stories", stories(), [8, 256])];
    for (name, spec, [rows, len]) in shapes {
        let model = Transformer::new(&spec, Seed::new(0), &device);
        let batch = batch(rows, len, spec.vocab_size);
        group.throughput(Throughput::Elements((rows * len) as u64));
        group.bench_function(BenchmarkId::new("none", name), |b| {
            b.iter(|| run(&model, &batch, &mut ()));
        });
        group.bench_function(BenchmarkId::new("watch", name), |b| {
            b.iter(|| run(&model, &batch, &mut Watch));
        });
        group.bench_function(BenchmarkId::new("moments", name), |b| {
            let mut tap = MomentTap::new();
            let classes = vec![TokenClass::default(); rows * len];
            b.iter(|| {
                tap.begin(&batch, &classes, &vec![0; rows]);
                run(&model, &batch, &mut tap);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, taps);
criterion_main!(benches);
