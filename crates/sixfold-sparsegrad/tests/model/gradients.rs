//! Oracles A1 and A2: adapting changes nothing, and gradients are those of the formula.

use std::sync::{Arc, Mutex};

use burn::module::Param;
use burn::nn::Linear;
use burn::tensor::{DType, Device, Tensor, TensorData};
use ndarray::Array2;
use rand::RngExt;
use sixfold_model::Projection;
use sixfold_sparsegrad::config::Realisation;
use sixfold_sparsegrad::ops::{self, Sink};
use sixfold_sparsegrad::{
    Adaptable, Adapted, Basis, Coordinates, LoraLinear, Mask, MePropLinear, SparseLinear,
    SunkLinear,
};

use crate::generator;
use crate::{classifier, devices, distance, examples, numbers};

fn uniform(n: usize, seed: u64) -> Vec<f32> {
    let mut generator = generator(seed);
    (0..n).map(|_| generator.random_range(-1.0..1.0)).collect()
}

fn tensor<const D: usize>(values: &[f32], shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), (device, DType::F32))
}

fn matrix(values: &[f32], shape: [usize; 2]) -> Array2<f64> {
    Array2::from_shape_vec(shape, values.iter().copied().map(f64::from).collect()).unwrap()
}

fn linear(d_in: usize, d_out: usize, device: &Device) -> Linear {
    Linear {
        weight: Param::from_tensor(tensor(&uniform(d_in * d_out, 1), [d_in, d_out], device)),
        bias: Some(Param::from_tensor(tensor(&uniform(d_out, 2), [d_out], device))),
    }
}

/// Bases of all kinds, with masks of few, many and all entries.
fn frames(d_in: usize, d_out: usize) -> Vec<(Basis, Mask)> {
    let r = d_in.min(d_out).div_ceil(2);
    let random = Basis::random(d_in, d_out, r, r, 5).unwrap();
    let bases = [
        random.clone(),
        Basis::random(d_in, d_out, d_in, d_out, 6).unwrap(),
        Basis::identity(d_in, d_out),
        random.input_only(),
        random.output_only(),
    ];
    let mut frames = Vec::new();
    for basis in bases {
        let core = basis.core();
        let n = (core[0] * core[1]) as u32;
        let few = (0..n).step_by(17.min(n as usize)).collect();
        let many = (0..n).filter(|i| i % 3 != 1).collect();
        for mask in [Mask::new(core, few).unwrap(), Mask::new(core, many).unwrap(), Mask::all(core)]
        {
            frames.push((basis.clone(), mask));
        }
    }
    frames
}

/// Uᵀ·xᵀ·g·V in f64.
fn core(x: &Array2<f64>, g: &Array2<f64>, basis: &Basis) -> Array2<f64> {
    let side = |side: &sixfold_sparsegrad::Side| match side.columns() {
        Some(columns) => columns.mapv(f64::from),
        None => Array2::eye(side.width()),
    };
    side(&basis.input).t().dot(&x.t()).dot(g).dot(&side(&basis.output))
}

fn at(core: &Array2<f64>, mask: &Mask) -> Vec<f64> {
    let all: Vec<f64> = core.iter().copied().collect();
    match mask.indices() {
        None => all,
        Some(indices) => indices.iter().map(|i| all[*i as usize]).collect(),
    }
}

#[test]
fn adapting_changes_no_output() {
    let (texts, _) = examples(6);
    let batch = sixfold_model::Batch::pad(&texts, 0, sixfold_model::PaddingSide::Right);
    for device in devices() {
        for device in [device.clone(), device.autodiff()] {
            let model = classifier(&device);
            let plain = numbers(model.forward(&batch).unwrap());
            for realisation in [Realisation::InPlace, Realisation::Adapter] {
                let adapted = model.clone().adapt(&mut |_, linear| {
                    let [d_in, d_out] = linear.weight.dims();
                    let basis = Basis::random(d_in, d_out, 8, 8, 1).unwrap();
                    let coordinates = Coordinates::new("basis", &basis, &device);
                    let mask = Mask::new([8, 8], vec![0, 5, 9, 63]).unwrap();
                    Adapted::Sparse(SparseLinear::new(linear, &coordinates, mask, realisation))
                });
                assert_eq!(numbers(adapted.forward(&batch).unwrap()), plain, "{realisation:?}");
            }
            let lora = model.clone().adapt(&mut |_, linear| {
                Adapted::Lora(LoraLinear::new(linear, 4, 1.0, sixfold_model::Seed::new(0)))
            });
            assert_eq!(numbers(lora.forward(&batch).unwrap()), plain);
            let meprop =
                model.adapt(&mut |_, linear| Adapted::MeProp(MePropLinear::new(linear, 2)));
            assert_eq!(numbers(meprop.forward(&batch).unwrap()), plain);
        }
    }
}

#[test]
fn gradients_of_trained_entries_are_those_of_the_core() {
    for device in devices() {
        let device = device.autodiff();
        for (d_in, d_out, n) in [(6, 10, 7), (24, 9, 33), (1, 3, 2)] {
            let (x, g) = (uniform(n * d_in, 3), uniform(n * d_out, 4));
            for (basis, mask) in frames(d_in, d_out) {
                let core = core(&matrix(&x, [n, d_in]), &matrix(&g, [n, d_out]), &basis);
                let exact = at(&core, &mask);
                for realisation in [Realisation::InPlace, Realisation::Adapter] {
                    let coordinates = Coordinates::new("basis", &basis, &device);
                    let linear = linear(d_in, d_out, &device);
                    let weight = linear.weight.val().detach();
                    let adapted =
                        SparseLinear::new(linear, &coordinates, mask.clone(), realisation);
                    let input = tensor(&x, [n, d_in], &device).require_grad();
                    let y = adapted.project(input.clone());
                    let loss = (y * tensor(&g, [n, d_out], &device)).sum();
                    let found = loss.backward();
                    let of_values = numbers(adapted.values.val().grad(&found).unwrap());
                    let error = distance(&of_values, &exact);
                    assert!(error <= 1e-5, "{realisation:?} {d_in}×{d_out}: {error}");
                    let of_x = numbers(input.grad(&found).unwrap());
                    let dense = tensor(&g, [n, d_out], &device).matmul(weight.transpose());
                    assert!(distance(&of_x, &numbers(dense)) <= 1e-5);
                    assert!(adapted.weight.val().grad(&found).is_none());
                }
            }
        }
    }
}

/// Keeps what it gets.
#[derive(Debug, Default)]
struct Bucket(Mutex<Vec<Vec<f32>>>);

impl Sink for Bucket {
    fn receive(&self, core: Vec<f32>) {
        self.0.lock().unwrap().push(core);
    }
}

#[test]
fn sinks_get_the_core_and_biases_their_own_gradient() {
    for device in devices() {
        let device = device.autodiff();
        // More rows than columns, and fewer: the core is made in two orders.
        for (d_in, d_out, n) in [(6, 10, 200), (24, 16, 3), (5, 40, 64)] {
            let (x, g) = (uniform(n * d_in, 3), uniform(n * d_out, 4));
            for (basis, _) in frames(d_in, d_out) {
                let exact = core(&matrix(&x, [n, d_in]), &matrix(&g, [n, d_out]), &basis);
                let bucket = Arc::new(Bucket::default());
                let coordinates = Coordinates::new("basis", &basis, &device);
                let sunk =
                    SunkLinear::new(linear(d_in, d_out, &device), &coordinates, bucket.clone());
                // Nothing before it has a gradient.
                let y = sunk.project(tensor(&x, [n, d_in], &device));
                let found = (y * tensor(&g, [n, d_out], &device)).sum().backward();
                let cores = bucket.0.lock().unwrap().clone();
                assert_eq!(cores.len(), 1);
                let received: Vec<f64> = cores[0].iter().copied().map(f64::from).collect();
                let error = distance(&received, &at(&exact, &Mask::all(basis.core())));
                assert!(error <= 1e-5, "{d_in}×{d_out}: {error}");
                assert!(sunk.weight.val().grad(&found).is_none(), "none on the tape");
                let of_bias = numbers(sunk.bias.as_ref().unwrap().val().grad(&found).unwrap());
                let exact: Vec<f64> =
                    matrix(&g, [n, d_out]).columns().into_iter().map(|c| c.sum()).collect();
                assert!(distance(&of_bias, &exact) <= 1e-6);
            }
        }
    }
}

#[test]
fn meprop_keeps_the_largest_of_each_row() {
    let (n, d, k) = (5, 300, 7);
    let mut g = uniform(n * d, 9);
    // Equal ones: the first are kept.
    g[..d].fill(0.5);
    for device in devices() {
        let device = device.autodiff();
        let y = tensor(&uniform(n * d, 8), [n, d], &device).require_grad();
        let kept = ops::keep(y.clone(), k);
        assert_eq!(numbers(kept.clone()), numbers(y.clone()));
        let found = (kept * tensor(&g, [n, d], &device)).sum().backward();
        let found = numbers(y.grad(&found).unwrap());
        for (found, g) in found.chunks(d).zip(g.chunks(d)) {
            let mut order: Vec<usize> = (0..d).collect();
            order.sort_by(|&a, &b| g[b].abs().total_cmp(&g[a].abs()).then(a.cmp(&b)));
            for (rank, &at) in order.iter().enumerate() {
                let expected = if rank < k { f64::from(g[at]) } else { 0.0 };
                assert_eq!(found[at].to_bits(), expected.to_bits(), "{at}");
            }
        }
        let plain = device.clone().without_autodiff();
        let of_rows = tensor(&g[d..], [n - 1, d], &plain);
        let reference = ops::keep::reference::largest(of_rows, k);
        assert_eq!(numbers(reference), found_rows(&found, d));
    }
}

fn found_rows(found: &[f64], d: usize) -> Vec<f64> {
    found[d..].to_vec()
}

#[test]
fn operations_agree_with_their_references() {
    for device in devices() {
        let autodiff = device.clone().autodiff();
        let (d_in, d_out, n) = (12, 20, 30);
        for (basis, mask) in frames(d_in, d_out) {
            let coordinates = Coordinates::new("basis", &basis, &device);
            let mask = Arc::new(mask);
            let chosen: Vec<i32> =
                mask.indices().unwrap_or_default().iter().map(|i| *i as i32).collect();
            let k = chosen.len();
            let indices =
                Tensor::<1, burn::tensor::Int>::from_data(TensorData::new(chosen, [k]), &device);
            let values = tensor(&uniform(mask.len(), 7), [mask.len()], &device);
            let w = tensor(&uniform(d_in * d_out, 1), [d_in, d_out], &device);
            let (u, v) = (coordinates.input(), coordinates.output());
            let found = ops::update(w.clone(), u, v, values.clone(), indices.clone(), &mask);
            let reference =
                ops::update::reference::update(w, u, v, values.clone(), indices.clone(), &mask);
            assert!(distance(&numbers(found), &numbers(reference)) <= 1e-6);

            let gradient = |with: &dyn Fn(Tensor<2>, Tensor<2>, Tensor<1>) -> Tensor<2>| {
                let y = tensor(&uniform(n * d_out, 2), [n, d_out], &autodiff);
                let z = tensor(&uniform(n * mask.shape()[0], 3), [n, mask.shape()[0]], &autodiff);
                let values: Tensor<1> =
                    tensor(&uniform(mask.len(), 7), [mask.len()], &autodiff).require_grad();
                let g = tensor(&uniform(n * d_out, 4), [n, d_out], &autodiff);
                let y = with(y, z, values.clone());
                let out = numbers(y.clone());
                let found = (y * g).sum().backward();
                (out, numbers(values.grad(&found).unwrap()))
            };
            let v = || v.map(|v| Tensor::from_inner(v.clone()));
            let found =
                gradient(&|y, z, values| ops::observe(y, z, values, v(), indices.clone(), &mask));
            let reference = gradient(&|y, z, values| {
                ops::observe::reference::observe(y, z, values, v(), indices.clone(), &mask)
            });
            assert!(distance(&found.0, &reference.0) <= 1e-6);
            assert!(distance(&found.1, &reference.1) <= 1e-5);
        }
    }
}

#[test]
fn the_largest_are_found_on_every_device() {
    for device in devices() {
        for n in [1, 5, 300, 8_192, 8_193, 40_000] {
            let mut values = uniform(n, n as u64);
            // Runs of equal magnitudes, zeros and denormals among them.
            for (at, value) in values.iter_mut().enumerate() {
                match at % 7 {
                    1 => *value = 0.25,
                    2 => *value = -0.25,
                    3 if at % 2 == 0 => *value = 0.0,
                    4 if at % 3 == 0 => *value = f32::from_bits(3),
                    _ => {}
                }
            }
            let list = tensor(&values, [n], &device);
            for k in [1, n.div_ceil(100), n.div_ceil(4), n.div_ceil(2), n] {
                let found = ops::top_k(list.clone(), k).into_data();
                let found: Vec<u32> = found.iter::<i64>().map(|place| place as u32).collect();
                assert_eq!(found, sixfold_sparsegrad::top_k(&values, k).unwrap(), "{k} of {n}");
            }
        }
        let list = tensor(&[1.0, f32::NAN, 3.0, f32::INFINITY], [4], &device);
        let found = ops::top_k(list.clone(), 2).into_data();
        assert_eq!(found.iter::<i64>().collect::<Vec<_>>(), [1, 3]);
        let finite = tensor(&[1.0, -5.0, 3.0, 2.0], [4], &device);
        let reference = ops::top_k::reference::top_k(finite.clone(), 3).into_data();
        let found = ops::top_k(finite, 3).into_data();
        assert_eq!(
            found.iter::<i64>().collect::<Vec<_>>(),
            reference.iter::<i64>().collect::<Vec<_>>()
        );
    }
}
