//! `sixfold-model`: forward and backward passes, taps, loading, tokenising.

use std::hint::black_box;

use burn::tensor::Tensor;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sixfold_benches::{batch, bert_base, minilm, stories};
use sixfold_model::stats::{MomentTap, TokenClass};
use sixfold_model::{
    Batch, Checkpoint, EncodeOptions, Seed, Site, Tap, Tokenizer, Transformer, TransformerSpec,
};

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
        [("minilm", minilm(), [32, 64]), ("stories", stories(), [8, 256])];
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
        for (which, new) in [("sites", MomentTap::sites as fn() -> _), ("moments", MomentTap::new)]
        {
            group.bench_function(BenchmarkId::new(which, name), |b| {
                let mut tap = new();
                b.iter(|| {
                    tap.begin_all(&batch);
                    run(&model, &batch, &mut tap);
                });
            });
            // As a profile reads: classes of tokens and 16 groups of documents.
            group.bench_function(BenchmarkId::new(format!("{which}, cells"), name), |b| {
                let mut tap = new();
                let class = |i| TokenClass { first: i % len == 0, ..TokenClass::default() };
                let classes: Vec<TokenClass> = (0..rows * len).map(class).collect();
                let groups: Vec<usize> = (0..rows).map(|row| row % 16).collect();
                b.iter(|| {
                    tap.begin(&batch, &classes, &groups);
                    run(&model, &batch, &mut tap);
                });
            });
        }
    }
    group.finish();
}

/// Forward alone, and with the gradients of all parameters.
fn passes(criterion: &mut Criterion) {
    let device = sixfold_model::device("flex").expect("compiled in");
    let mut group = criterion.benchmark_group("passes");
    group.sample_size(10);
    let shapes: [(&str, TransformerSpec, [usize; 2]); 2] =
        [("minilm 32×64", minilm(), [32, 64]), ("bert-base 8×128", bert_base(), [8, 128])];
    for (name, spec, [rows, len]) in shapes {
        let batch = batch(rows, len, spec.vocab_size);
        group.throughput(Throughput::Elements((rows * len) as u64));
        let model = Transformer::new(&spec, Seed::new(0), &device);
        group.bench_function(BenchmarkId::new("forward", name), |b| {
            b.iter(|| run(&model, &batch, &mut ()));
        });
        let model = Transformer::new(&spec, Seed::new(0), &device.clone().autodiff());
        group.bench_function(BenchmarkId::new("forward+backward", name), |b| {
            b.iter(|| {
                let hidden = model.forward(&batch).expect("a valid batch");
                black_box(hidden.mean().backward());
            });
        });
    }
    group.finish();
}

/// From files: the embedded model and its tokenizer.
fn files(criterion: &mut Criterion) {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/models/stories260k");
    let device = sixfold_model::device("flex").expect("compiled in");
    let mut group = criterion.benchmark_group("files");
    group.bench_function("load stories260k", |b| {
        let load = || Checkpoint::open(dir).and_then(|files| files.causal_lm(&device));
        b.iter(|| black_box(load().expect("the embedded model")));
    });
    let tokenizer = Tokenizer::from_dir(dir).expect("the embedded tokenizer");
    let text = "Once upon a time there was a little girl named Lily. ".repeat(100);
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("tokenise", |b| {
        let options = EncodeOptions::default();
        b.iter(|| black_box(tokenizer.encode(&text, &options).expect("text")));
    });
    group.finish();
}

criterion_group!(benches, taps, passes, files);
criterion_main!(benches);
