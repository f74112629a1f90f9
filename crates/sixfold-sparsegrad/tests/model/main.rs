//! Models whose projections are adapted: the tests that need burn.
#![cfg(feature = "flex")]

mod gradients;
mod methods;
mod orientation;
mod training;

use burn::tensor::{Device, Tensor};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sixfold_model::{
    Activation, Batch, ClassifierSpec, PaddingSide, Pooling, Result, Seed, SequenceClassifier,
    TransformerSpec,
};
use sixfold_sparsegrad::Adapted;

/// A small classifier of two blocks.
fn classifier(device: &Device) -> SequenceClassifier {
    let body = TransformerSpec::encoder(40, 16, 2, 2);
    let head = ClassifierSpec {
        n_classes: 2,
        pooling: Pooling::Mean,
        dense: Some(Activation::Tanh),
        bias: true,
        dropout: 0.0,
    };
    SequenceClassifier::new(&body, &head, Seed::new(3), device)
}

/// A model of adapted projections.
type Tuned = SequenceClassifier<burn::nn::Embedding, Adapted>;

/// Sentences whose class is whether a token stands in them.
fn examples(n: usize) -> (Vec<Vec<u32>>, Vec<i32>) {
    let texts: Vec<Vec<u32>> = (0..n as u32)
        .map(|i| (0..5 + i % 4).map(|at| 3 + (i * 7 + at * 11 + i * at) % 36).collect())
        .collect();
    let classes = texts.iter().map(|text| i32::from(text.iter().any(|id| *id < 9))).collect();
    (texts, classes)
}

/// The mean loss of some examples.
fn loss(
    model: &Tuned,
    (texts, classes): &(Vec<Vec<u32>>, Vec<i32>),
    chosen: &[usize],
) -> Result<Tensor<1>> {
    let texts: Vec<Vec<u32>> = chosen.iter().map(|&i| texts[i].clone()).collect();
    let classes: Vec<i32> = chosen.iter().map(|&i| classes[i]).collect();
    model.loss(&Batch::pad(&texts, 0, PaddingSide::Right), &classes)
}

/// The devices that are compiled in, and here.
fn devices() -> Vec<Device> {
    let mut names = sixfold_model::available_devices();
    names.retain(|&name| name != "cuda" && (name != "wgpu" || sixfold_testkit::has_vulkan()));
    names.into_iter().map(|name| sixfold_model::device(name).unwrap()).collect()
}

fn generator(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// The numbers of a tensor.
fn numbers<const D: usize>(x: Tensor<D>) -> Vec<f64> {
    x.into_data().iter::<f64>().collect()
}

/// ‖found − exact‖ / ‖exact‖
fn distance(found: &[f64], exact: &[f64]) -> f64 {
    assert_eq!(found.len(), exact.len());
    let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
    let scale = norm(&mut exact.iter().copied()).max(f64::MIN_POSITIVE);
    norm(&mut found.iter().zip(exact).map(|(a, b)| a - b)) / scale
}
