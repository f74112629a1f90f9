//! Custom operations of `sixfold-model` beside the same made of plain burn operations: forward,
//! and forward with backward.

use std::hint::black_box;

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sixfold_model::{Activation, Seed, ops};

/// Tokens and features: rows that fit a cache together, and those of a BERT-base batch.
const SHAPES: [[usize; 2]; 2] = [[64, 384], [1024, 768]];
/// Rows of logits and classes.
const LOGITS: [[usize; 2]; 2] = [[64, 1000], [256, 30_522]];
/// Heads, queries and keys.
const SCORES: [[usize; 3]; 2] = [[12, 64, 64], [96, 128, 128]];

fn random<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    use rand::Rng;
    let mut rng = Seed::new(0).stream("bench");
    let value = |_| (rng.next_u64() >> 40) as f32 / (1 << 23) as f32 - 1.0;
    let values: Vec<f32> = (0..shape.iter().product()).map(value).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn integers(n: usize, below: usize, device: &Device) -> Tensor<1, Int> {
    let values: Vec<i32> = (0..n).map(|i| (i * 7919 % below) as i32).collect();
    Tensor::from_ints(values.as_slice(), device)
}

/// Something on the plain device and on the tracked one, made once.
fn on_both<T: Clone>(make: impl Fn(&Device) -> T) -> impl Fn(&Device) -> T {
    let plain = sixfold_model::device("flex").expect("compiled in");
    let both = [make(&plain), make(&plain.autodiff())];
    move |device| both[usize::from(device.is_autodiff())].clone()
}

/// Times an operation, and it with the gradients of its first input, over `n` elements.
///
/// The input is made afresh each time, outside the clock, so that what works in place can.
fn compare<const D: usize, const E: usize>(
    criterion: &mut Criterion,
    operation: &str,
    shape: [usize; D],
    variants: &[(&str, &dyn Fn(Tensor<D>) -> Tensor<E>)],
) {
    let n: usize = shape.iter().product();
    let plain = sixfold_model::device("flex").expect("compiled in");
    let tracked = plain.clone().autodiff();
    let label = format!("{shape:?}");
    for (pass, device) in [("forward", &plain), ("forward+backward", &tracked)] {
        let mut group = criterion.benchmark_group(format!("{operation}/{pass}"));
        group.sample_size(20);
        group.throughput(Throughput::Elements(n as u64));
        let values = random(shape, device).into_data();
        for &(variant, run) in variants {
            group.bench_function(BenchmarkId::new(variant, &label), |b| {
                b.iter_batched(
                    || Tensor::<D>::from_data(values.clone(), device),
                    |x| match pass {
                        "forward" => {
                            black_box(run(x));
                        }
                        _ => {
                            let x = x.require_grad();
                            let gradients = run(x.clone()).sum().backward();
                            black_box(x.grad(&gradients).expect("a gradient"));
                        }
                    },
                    criterion::BatchSize::LargeInput,
                );
            });
        }
        group.finish();
    }
}

fn activations(criterion: &mut Criterion) {
    use ops::activation::reference;
    for shape in SHAPES {
        for kind in [Activation::Gelu, Activation::GeluTanh, Activation::Silu] {
            compare(
                criterion,
                &format!("{kind:?}"),
                shape,
                &[
                    ("ours", &|x| ops::activate(x, kind)),
                    ("reference", &|x| reference::activate(x, kind)),
                ],
            );
        }
    }
}

fn norms(criterion: &mut Criterion) {
    use burn::tensor::module;
    use ops::norm::reference;
    for [rows, width] in SHAPES {
        let gain = on_both(|device| {
            let gain = Tensor::<1>::ones([width], device);
            if device.is_autodiff() { gain.require_grad() } else { gain }
        });
        let with = |x: &Tensor<2>| (gain(&x.device()), Some(gain(&x.device())));
        compare(
            criterion,
            "layer_norm",
            [rows, width],
            &[
                ("ours", &|x: Tensor<2>| {
                    let (gamma, beta) = with(&x);
                    ops::layer_norm(x, gamma, beta, 1e-5)
                }),
                ("reference", &|x: Tensor<2>| {
                    let (gamma, beta) = with(&x);
                    reference::layer_norm(x, gamma, beta, 1e-5)
                }),
                ("burn's own", &|x: Tensor<2>| {
                    let (gamma, beta) = with(&x);
                    module::layer_norm(x, gamma, beta, 1e-5)
                }),
            ],
        );
        compare(
            criterion,
            "rms_norm",
            [rows, width],
            &[
                ("ours", &|x: Tensor<2>| {
                    let gamma = gain(&x.device());
                    ops::rms_norm(x, gamma, 1e-5)
                }),
                ("reference", &|x: Tensor<2>| {
                    let gamma = gain(&x.device());
                    reference::rms_norm(x, gamma, 1e-5)
                }),
            ],
        );
    }
}

fn softmax(criterion: &mut Criterion) {
    use ops::softmax::reference;
    for [heads, queries, keys] in SCORES {
        let shape = [heads, queries, keys];
        compare(
            criterion,
            "softmax",
            shape,
            &[("ours", &ops::softmax), ("reference", &reference::softmax)],
        );
        let causal = on_both(|device| {
            let hidden: Vec<bool> =
                (0..queries).flat_map(|q| (0..keys).map(move |k| k > q)).collect();
            Tensor::<3, Bool>::from_data(TensorData::new(hidden, [1, queries, keys]), device)
        });
        compare(
            criterion,
            "masked_softmax",
            shape,
            &[
                ("ours", &|x: Tensor<3>| {
                    let hidden = causal(&x.device());
                    ops::masked_softmax(x, hidden)
                }),
                ("reference", &|x: Tensor<3>| {
                    let hidden = causal(&x.device());
                    reference::masked_softmax(x, hidden)
                }),
            ],
        );
    }
}

fn cross_entropy(criterion: &mut Criterion) {
    use ops::cross_entropy::reference;
    for [n, classes] in LOGITS {
        let targets = on_both(|device| integers(n, classes, device));
        // Times one, because logits come from a product that keeps none: ours writes its gradient
        // into them.
        compare(
            criterion,
            "cross_entropy",
            [n, classes],
            &[
                ("ours", &|x: Tensor<2>| {
                    let targets = targets(&x.device());
                    ops::cross_entropy(x * 1.0, targets, 0.0)
                }),
                ("reference", &|x: Tensor<2>| {
                    let targets = targets(&x.device());
                    reference::cross_entropy(x * 1.0, targets, 0.0)
                }),
            ],
        );
    }
}

fn rotary(criterion: &mut Criterion) {
    use ops::rotary::reference;
    for (batch, len, heads, d_head) in [(1, 64, 12, 32), (8, 128, 12, 64)] {
        let angles = on_both(|device| random([len, d_head / 2], device));
        compare(
            criterion,
            "rotary",
            [batch, len, heads * d_head],
            &[
                ("ours", &|x: Tensor<3>| {
                    let (cos, sin) = (angles(&x.device()), angles(&x.device()));
                    ops::rotate(x, cos, sin, heads)
                }),
                ("reference", &|x: Tensor<3>| {
                    let (cos, sin) = (angles(&x.device()), angles(&x.device()));
                    reference::rotate(x, cos, sin, heads)
                }),
            ],
        );
    }
}

fn embedding(criterion: &mut Criterion) {
    use ops::embedding::reference;
    for (tokens, [rows, d]) in [(64, [2048, 384]), (1024, [30_522, 768])] {
        let ids = on_both(|device| integers(tokens, rows, device).reshape([1, tokens]));
        compare(
            criterion,
            &format!("embedding of {tokens}"),
            [rows, d],
            &[
                ("ours", &|x: Tensor<2>| {
                    let ids = ids(&x.device());
                    ops::embedding(x, ids)
                }),
                ("reference", &|x: Tensor<2>| {
                    let ids = ids(&x.device());
                    reference::embedding(x, ids)
                }),
            ],
        );
    }
}

fn linear(criterion: &mut Criterion) {
    use ops::linear::reference;
    // The two projections of an MLP block, and a classifier's on one token.
    for [rows, d_in, d_out] in [[1, 768, 768], [2048, 384, 1536], [1024, 3072, 768]] {
        let parts = on_both(|device| {
            let weight = random([d_in, d_out], device);
            let bias = random([d_out], device);
            match device.is_autodiff() {
                true => (weight.require_grad(), bias.require_grad()),
                false => (weight, bias),
            }
        });
        compare(
            criterion,
            &format!("linear to {d_out}"),
            [rows, d_in],
            &[
                ("ours", &|x: Tensor<2>| {
                    let (weight, bias) = parts(&x.device());
                    ops::linear(x, weight, Some(bias))
                }),
                ("reference", &|x: Tensor<2>| {
                    let (weight, bias) = parts(&x.device());
                    reference::linear(x, weight, Some(bias))
                }),
            ],
        );
    }
}

fn attention(criterion: &mut Criterion) {
    use ops::attention::reference;
    // MiniLM's and BERT-base's batches, and a long context with grouped heads.
    for (shape, n_heads, n_kv_heads, causal) in [
        ([32, 64, 384], 12, 12, false),
        ([8, 128, 768], 12, 12, false),
        ([1, 2048, 512], 8, 2, true),
    ] {
        let [batch, len, width] = shape;
        let form = ops::AttentionForm {
            n_heads,
            n_kv_heads,
            scale: 0.125,
            causal,
            start: 0,
            window: None,
            dropout: None,
        };
        let others = on_both(|device| {
            let kv = || {
                let x = random([batch, len, width / n_heads * n_kv_heads], device);
                if device.is_autodiff() { x.require_grad() } else { x }
            };
            (kv(), kv(), Tensor::<3>::zeros([1, 1, len], device))
        });
        compare(
            criterion,
            if causal { "causal attention" } else { "attention" },
            shape,
            &[
                ("ours", &|q: Tensor<3>| {
                    let (k, v, bias) = others(&q.device());
                    ops::attention(q, k, v, bias, form)
                }),
                ("reference", &|q: Tensor<3>| {
                    let (k, v, bias) = others(&q.device());
                    reference::attention(q, k, v, bias, form)
                }),
            ],
        );
    }
}

fn dropout(criterion: &mut Criterion) {
    let mask = ops::DropoutMask::new(0.1, 7);
    for shape in SHAPES {
        compare(
            criterion,
            "dropout",
            shape,
            &[
                ("ours", &|x: Tensor<2>| ops::dropout(x, mask)),
                ("reference", &|x: Tensor<2>| ops::dropout::reference::dropout(x, mask)),
                ("burn's own", &|x: Tensor<2>| {
                    // Only devices with autodiff drop; elsewhere this is the identity.
                    burn::nn::DropoutConfig::new(0.1).init().forward(x)
                }),
            ],
        );
    }
}

criterion_group!(
    benches,
    activations,
    norms,
    softmax,
    cross_entropy,
    rotary,
    embedding,
    linear,
    attention,
    dropout
);
criterion_main!(benches);
