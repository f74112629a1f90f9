//! Dual numbers through every family: values are those of `forward`, tangents those of central
//! differences, and the adjoint of the tape.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{DType, Device, Tensor, TensorData};
use sixfold_model::{Batch, Checkpoint, Dual, PaddingSide, Transformer};
use sixfold_testkit::max_relative_error;

use crate::harness::{cases, name};

/// A vector of length n that is no constant and repeats nowhere.
fn wave(shape: [usize; 3], phase: f64, device: &Device) -> Tensor<3> {
    let n = shape.iter().product();
    let values: Vec<f32> = (0..n).map(|i| ((i as f64 * 0.7 + phase).sin() * 0.3) as f32).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn values(x: Tensor<3>) -> Vec<f32> {
    x.inner().into_data().iter::<f32>().collect()
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

fn batch(model: &Transformer) -> Batch {
    let top = model.spec().vocab_size as u32;
    let row = |n: u32, step: u32| (0..n).map(|i| 3 + (i * step) % (top - 3)).collect::<Vec<_>>();
    Batch::pad(&[row(7, 5), row(4, 11)], 0, PaddingSide::Right)
}

/// The stream after each block and after the final norm, with derivatives.
fn duals(model: &Transformer, batch: &Batch, x: Tensor<3>, dx: Tensor<3>) -> Vec<Dual<3>> {
    let state = model.embed_dual(batch, Dual::new(x, dx)).unwrap();
    let mut seen = vec![state.hidden.clone()];
    let state = model.advance_dual(state, model.n_layers(), &mut |_, x| seen.push(x.clone()));
    seen.push(model.finish_dual(state));
    seen
}

/// Every parameter in f64: then all operations are the plain references, in f64.
struct Widen;

impl ModuleMapper for Widen {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| tensor.cast(DType::F64))
    }
}

/// Central differences of the plain forward pass, in f64 on a CPU.
fn differences(oracle: &Transformer, batch: &Batch) -> Vec<Vec<f32>> {
    const H: f64 = 1e-5;
    let shape = [batch.rows(), batch.len(), oracle.spec().d_embed];
    let wide = oracle.clone().map(&mut Widen);
    let [x, dx] = [0.2, 1.9].map(|phase| wave(shape, phase, &wide.device()).cast(DType::F64));
    let states = |h: f64| {
        let mut state = wide.embed_vectors(batch, x.clone() + dx.clone() * h).unwrap();
        let mut seen = vec![state.hidden.clone()];
        for layer in 1..=wide.n_layers() {
            state = wide.advance(state, layer, &mut ());
            seen.push(state.hidden.clone());
        }
        seen.push(wide.forward_from(state));
        seen
    };
    let pairs = states(H).into_iter().zip(states(-H));
    pairs.map(|(up, down)| values((up - down) / (2.0 * H))).collect()
}

/// The same values by the plain forward pass.
fn forward(model: &Transformer, batch: &Batch, x: Tensor<3>) -> Vec<Vec<f32>> {
    let mut state = model.embed_vectors(batch, x).unwrap();
    let mut seen = vec![values(state.hidden.clone())];
    for layer in 1..=model.n_layers() {
        state = model.advance(state, layer, &mut ());
        seen.push(values(state.hidden.clone()));
    }
    seen.push(values(model.forward_from(state)));
    seen
}

/// Only rows that are no padding have a meaning.
fn kept(all: &[f32], batch: &Batch) -> Vec<f32> {
    let width = all.len() / batch.ids().len();
    batch.token_indices().iter().flat_map(|&i| all[i * width..(i + 1) * width].to_vec()).collect()
}

/// The worst relative errors of a model: values, tangents against differences.
fn errors(model: &Transformer, oracle: &Transformer, device: &Device) -> (f64, f64) {
    let batch = batch(model);
    let shape = [batch.rows(), batch.len(), model.spec().d_embed];
    let (x, dx) = (wave(shape, 0.2, device), wave(shape, 1.9, device));
    let found = duals(model, &batch, x.clone(), dx.clone());
    let plain = forward(model, &batch, x.clone());
    let expected = differences(oracle, &batch);
    let mut worst = (0.0_f64, 0.0_f64);
    for (i, dual) in found.iter().enumerate() {
        let value = kept(&values(dual.value.clone()), &batch);
        let tangent = kept(&values(dual.tangent.clone()), &batch);
        worst.0 = worst.0.max(max_relative_error(&value, &kept(&plain[i], &batch)));
        worst.1 = worst.1.max(max_relative_error(&tangent, &kept(&expected[i], &batch)));
    }
    worst
}

/// `⟨u, J·v⟩` by the tangent, and `⟨Jᵀ·u, v⟩` by the tape that the same pass left.
fn adjoint(model: &Transformer, device: &Device) -> (f64, f64) {
    let batch = batch(model);
    let shape = [batch.rows(), batch.len(), model.spec().d_embed];
    let tracked = model.clone().no_grad().train();
    let x = Tensor::from_inner(wave(shape, 0.2, device)).require_grad();
    let dx = wave(shape, 1.9, device);
    let state = tracked.embed_dual(&batch, Dual::new(x.clone(), dx.clone())).unwrap();
    let out = tracked.finish_dual(state);
    // Only the rows that mean something.
    let mask: Vec<f32> = batch.mask().iter().map(|&kept| f32::from(u8::from(kept))).collect();
    let mask = Tensor::<3>::from_data(TensorData::new(mask, [shape[0], shape[1], 1]), device);
    let u = wave(out.tangent.dims(), 0.9, device) * mask;
    let forward = dot(&values(u.clone()), &values(out.tangent));
    let gradients = (out.value * Tensor::from_inner(u)).sum().backward();
    let pulled = x.grad(&gradients).expect("the input is tracked");
    (forward, dot(&values(pulled), &values(dx)))
}

fn check(device: &str, cases: impl Iterator<Item = std::path::PathBuf>) {
    let device = sixfold_model::device(device).expect("compiled in");
    let host = sixfold_model::device("flex").or_else(|_| sixfold_model::device("ndarray"));
    let host = host.expect("a CPU backend is compiled in");
    let mut failures = Vec::new();
    let mut n = 0;
    for case in cases {
        let checkpoint = Checkpoint::open(&case).unwrap().without_dropout();
        let model = checkpoint.transformer(&device).unwrap();
        let oracle = checkpoint.transformer(&host).unwrap();
        let (value, tangent) = errors(&model, &oracle, &device);
        let (forward, backward) = adjoint(&model, &device);
        let gap = (forward - backward).abs() / (forward.abs() + 1.0);
        n += 1;
        if value > 1e-5 || tangent > 1e-4 || gap > 1e-5 {
            failures.push(format!("{}: {value:.1e} {tangent:.1e} {gap:.1e}", name(&case)));
        }
    }
    assert!(n > 0, "no case");
    assert!(failures.is_empty(), "values, tangents, adjoint:\n{}", failures.join("\n"));
}

#[cfg(feature = "flex")]
#[test]
fn every_case_on_flex() {
    check("flex", cases().into_iter());
}

#[cfg(feature = "ndarray")]
#[test]
fn every_case_on_ndarray() {
    check("ndarray", cases().into_iter());
}

/// The block forms that differ: software Vulkan compiles each new shape, which takes long.
#[cfg(feature = "wgpu")]
#[test]
fn some_families_on_wgpu() {
    if !sixfold_testkit::has_vulkan() {
        return;
    }
    let families = ["bert-base", "gpt2-base", "llama-base", "albert-base"];
    check("wgpu", cases().into_iter().filter(|case| families.contains(&name(case).as_str())));
}
