//! Whole steps of fine-tuning by `sixfold-sparsegrad` and what it is compared with: full, LoRA of equal size, MeProp, the
//! default in place and as an adapter, entries of each step, and the paper's mode.
//!
//! Wall times of criterion, methods one after the other; `sparsegrad_steps` takes them in turns and gives CPU time.
//! `SHAPES=minilm,bert-base` chooses shapes; without it only the small one is measured, in a minute.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sixfold_benches::batch;
use sixfold_benches::tuning::{METHODS, spec_of, steps};

/// Sequences and tokens of a batch.
const BATCH: [usize; 2] = [8, 128];

fn whole_steps(criterion: &mut Criterion) {
    let shapes = std::env::var("SHAPES").unwrap_or_else(|_| "small".to_owned());
    for shape in shapes.split(',') {
        let spec = spec_of(shape).unwrap_or_else(|| panic!("no shape `{shape}`"));
        let mut group = criterion.benchmark_group(format!("tuning-step-{shape}"));
        group.sample_size(10);
        group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(5));
        group.throughput(Throughput::Elements((BATCH[0] * BATCH[1]) as u64));
        for method in METHODS {
            let mut step = steps(method, &spec, batch(BATCH[0], BATCH[1], 1000));
            group.bench_function(BenchmarkId::from_parameter(method), |bencher| {
                bencher.iter(&mut step)
            });
        }
        group.finish();
    }
}

criterion_group!(benches, whole_steps);
criterion_main!(benches);
