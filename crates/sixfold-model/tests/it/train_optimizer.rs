//! AdamW against an oracle and burn's own; gradients, clipping, accumulation.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::nn::Linear;
use burn::optim;
use burn::tensor::{DType, Device, Tensor, TensorData};
use rand::Rng;
use sixfold_model::train::{AdamW, AdamWConfig, Gradients, GroupRule, ParamGroups};
use sixfold_model::{Error, Seed};

use crate::train_common::{Task, bits, classifier, devices, flex};

fn draw(name: &str, n: usize) -> Vec<f32> {
    let mut random = Seed::new(8).stream(name);
    (0..n).map(|_| random.next_u32() as f32 / 2f32.powi(31) - 1.0).collect()
}

fn linear(device: &Device, d_in: usize, d_out: usize) -> Linear {
    let tensor = |name, n| TensorData::new(draw(name, n), [n]);
    let weight = Tensor::<1>::from_data(tensor("weight", d_in * d_out), device);
    let bias = Tensor::<1>::from_data(tensor("bias", d_out), device);
    let weight = weight.reshape([d_in, d_out]).detach().require_grad();
    Linear {
        weight: Param::initialized(ParamId::new(), weight),
        bias: Some(Param::initialized(ParamId::new(), bias.require_grad())),
    }
}

/// The mean square of the outputs for inputs that differ from step to step.
fn loss(model: &Linear, step: usize) -> Tensor<1> {
    let [d_in, _] = model.weight.dims();
    let device = model.weight.device();
    let x = TensorData::new(draw(&format!("x.{step}"), 3 * d_in), [3, d_in]);
    let x = Tensor::<2>::from_data(x, (&device, DType::F32)).cast(model.weight.dtype());
    model.forward(x).powi_scalar(2).mean()
}

fn floats(bytes: &[u8]) -> Vec<f64> {
    bytes.as_chunks::<4>().0.iter().map(|&b| f64::from(f32::from_le_bytes(b))).collect()
}

fn close(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= tolerance, "{what}: {found} {expected}");
    }
}

/// arXiv 1711.05101, algorithm 2, in f64.
struct Oracle {
    p: Vec<f64>,
    m: Vec<f64>,
    v: Vec<f64>,
}

impl Oracle {
    fn step(&mut self, g: &[f64], t: i32, lr: f64, decay: f64) {
        for (i, g) in g.iter().enumerate() {
            self.m[i] = 0.9 * self.m[i] + 0.1 * g;
            self.v[i] = 0.999 * self.v[i] + 0.001 * g * g;
            let m = self.m[i] / (1.0 - 0.9f64.powi(t));
            let v = self.v[i] / (1.0 - 0.999f64.powi(t));
            self.p[i] -= lr * (m / (v.sqrt() + 1e-8) + decay * self.p[i]);
        }
    }
}

#[test]
fn steps_are_those_of_the_paper_on_every_device() {
    for (name, device) in devices() {
        let mut model = linear(&device, 5, 7);
        let config = AdamWConfig { weight_decay: 0.1, ..AdamWConfig::default() };
        let rule = GroupRule { lr_factor: 0.5, weight_decay: None };
        let groups = ParamGroups::default().with(["bias"], rule).unwrap();
        let mut optimizer = AdamW::new(config, &groups, &model).unwrap();
        let mut oracles: BTreeMap<String, Oracle> = bits(&model)
            .into_iter()
            .map(|(path, bytes)| {
                let p = floats(&bytes);
                let n = p.len();
                (path, Oracle { p, m: vec![0.0; n], v: vec![0.0; n] })
            })
            .collect();
        for t in 1..=6 {
            let lr = 1e-2 / f64::from(t);
            let gradients = Gradients::from_backward(loss(&model, t as usize), &model);
            for (path, oracle) in &mut oracles {
                let g: Vec<f64> = gradients.get(path).unwrap().iter::<f64>().collect();
                let (lr, decay) = if path == "bias" { (lr * 0.5, 0.0) } else { (lr, 0.1) };
                oracle.step(&g, t, lr, decay);
            }
            model = optimizer.step(model, gradients.clip(None).unwrap(), lr);
        }
        for (path, bytes) in bits(&model) {
            let oracle = &oracles[&path];
            close(&floats(&bytes), &oracle.p, 2e-6, &format!("{name} {path}"));
            let (m, v, steps) = optimizer.moments(&path).unwrap();
            assert_eq!(steps, 6);
            close(&m.iter::<f64>().collect::<Vec<_>>(), &oracle.m, 1e-6, "first moment");
            close(&v.iter::<f64>().collect::<Vec<_>>(), &oracle.v, 1e-6, "second moment");
        }
    }
}

#[test]
fn steps_are_those_of_burns_own_optimiser() {
    let mut ours = linear(&flex(), 6, 4);
    let mut theirs = ours.clone();
    let config = AdamWConfig { weight_decay: 0.05, ..AdamWConfig::default() };
    let rule = GroupRule { lr_factor: 1.0, weight_decay: Some(0.05) };
    let groups = ParamGroups::default().with(["**"], rule).unwrap();
    let mut optimizer = AdamW::new(config, &groups, &ours).unwrap();
    let mut reference = optim::AdamWConfig::new()
        .with_beta_1(0.9)
        .with_beta_2(0.999)
        .with_epsilon(1e-8)
        .with_weight_decay(0.05)
        .init();
    for step in 0..5 {
        let gradients = Gradients::from_backward(loss(&ours, step), &ours);
        ours = optimizer.step(ours, gradients.clip(None).unwrap(), 1e-2);
        let gradients = optim::GradientsParams::from_grads(loss(&theirs, step).backward(), &theirs);
        theirs = reference.step(1e-2, theirs, gradients);
    }
    let theirs = bits(&theirs);
    for (path, bytes) in bits(&ours) {
        close(&floats(&bytes), &floats(&theirs[&path]), 1e-6, &path);
    }
}

/// A step takes the buffer of a parameter that nobody else holds, and gives it back.
#[test]
fn a_step_on_flex_copies_nothing() {
    let mut model = linear(&flex(), 64, 64);
    let values = draw("weight", 64 * 64);
    let address = values.as_ptr();
    let weight = Tensor::<2>::from_data(TensorData::new(values, [64, 64]), &flex());
    model.weight = Param::initialized(model.weight.id, weight.require_grad());
    let id = model.weight.id;
    let mut optimizer =
        AdamW::new(AdamWConfig::default(), &ParamGroups::default(), &model).unwrap();
    for step in 0..2 {
        let gradients = Gradients::from_backward(loss(&model, step), &model);
        model = optimizer.step(model, gradients.clip(Some(1.0)).unwrap(), 1e-3);
    }
    assert_eq!(model.weight.id, id);
    assert!(model.weight.is_require_grad());
    let data = model.weight.into_value().inner().into_data();
    assert_eq!(data.as_bytes().as_ptr(), address.cast::<u8>());
}

/// Who keeps a copy of the model keeps its values.
#[test]
fn a_copy_of_the_model_stays_as_it_was() {
    for (name, device) in devices() {
        let copy = linear(&device, 3, 3);
        let before = bits(&copy);
        let mut optimizer =
            AdamW::new(AdamWConfig::default(), &ParamGroups::default(), &copy).unwrap();
        let gradients = Gradients::from_backward(loss(&copy, 0), &copy);
        let model = optimizer.step(copy.clone(), gradients.clip(None).unwrap(), 1e-1);
        assert_eq!(bits(&copy), before, "{name}");
        assert_ne!(bits(&model), before, "{name}");
    }
}

#[test]
fn other_types_keep_their_type_and_train() {
    struct Cast(DType);
    impl ModuleMapper for Cast {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            param.map(|t| Tensor::from_inner(t.inner().cast(self.0)).require_grad())
        }
    }
    for (dtype, tolerance) in [(DType::F64, 1e-5), (DType::BF16, 7e-2)] {
        let mut reference = linear(&flex(), 4, 3);
        let mut model = reference.clone().map(&mut Cast(dtype));
        let config = AdamWConfig::default();
        let mut a = AdamW::new(config, &ParamGroups::default(), &reference).unwrap();
        let mut b = AdamW::new(config, &ParamGroups::default(), &model).unwrap();
        for step in 0..3 {
            let gradients = Gradients::from_backward(loss(&reference, step), &reference);
            reference = a.step(reference, gradients.clip(Some(0.5)).unwrap(), 1e-2);
            let gradients = Gradients::from_backward(loss(&model, step), &model);
            model = b.step(model, gradients.clip(Some(0.5)).unwrap(), 1e-2);
        }
        assert_eq!(model.weight.dtype(), dtype);
        let found: Vec<f64> = model.weight.val().into_data().iter::<f64>().collect();
        let expected: Vec<f64> = reference.weight.val().into_data().iter::<f64>().collect();
        close(&found, &expected, tolerance, &format!("{dtype:?}"));
    }
}

/// `torch.nn.utils.clip_grad_norm_`, in f64.
#[test]
fn clipping_bounds_the_global_norm() {
    for (name, device) in devices() {
        let model = linear(&device, 5, 7);
        let gradients = Gradients::from_backward(loss(&model, 0), &model);
        let values = |gradients: &Gradients| -> BTreeMap<String, Vec<f64>> {
            let get = |path: &str| gradients.get(path).unwrap().iter::<f64>().collect();
            gradients.paths().map(|path| (path.to_owned(), get(path))).collect()
        };
        let before = values(&gradients);
        let norm = before.values().flatten().map(|g| g * g).sum::<f64>().sqrt();
        let bound = norm / 3.0;
        let clipped = gradients.clone().clip(Some(bound)).unwrap();
        assert!((clipped.norm() - norm).abs() <= 1e-6 * norm, "{name}");
        for (path, after) in values(clipped.gradients()) {
            let expected: Vec<f64> =
                before[&path].iter().map(|g| g * bound / (norm + 1e-6)).collect();
            close(&after, &expected, 1e-6, &format!("{name} {path}"));
        }
        let same = gradients.clone().clip(Some(norm * 2.0)).unwrap();
        assert_eq!(values(same.gradients()), before, "{name}: within the bound");
        let mut half = gradients;
        half.scale(0.5);
        assert!((half.norm().unwrap() - norm / 2.0).abs() <= 1e-6 * norm, "{name}");
    }
}

#[test]
fn micro_batches_add_up_to_one_batch() {
    let task = Task::new(8);
    for (name, device) in devices() {
        let model = classifier(1, 0.0, &device);
        let backward = |examples: &[usize]| {
            Gradients::from_backward(task.loss(&model, examples).unwrap(), &model)
        };
        let whole = backward(&[0, 1, 2, 3, 4, 5, 6, 7]);
        let mut sum = Gradients::default();
        sum.add(backward(&[0, 1, 2, 3]));
        sum.add(backward(&[4, 5, 6, 7]));
        sum.scale(0.5);
        // Unequal parts, each with its own scale.
        let mut parts = backward(&[0, 1]);
        parts.scale(0.25);
        let mut rest = backward(&[2, 3, 4, 5, 6, 7]);
        rest.scale(0.75);
        parts.add(rest);
        for path in whole.paths() {
            let expected: Vec<f64> = whole.get(path).unwrap().iter::<f64>().collect();
            for gradients in [&sum, &parts] {
                let found: Vec<f64> = gradients.get(path).unwrap().iter::<f64>().collect();
                close(&found, &expected, 1e-5, &format!("{name} {path}"));
            }
        }
    }
}

#[test]
fn a_gradient_that_is_not_finite_names_its_parameter() {
    for (name, device) in devices() {
        for bad in [f64::NAN, f64::INFINITY] {
            let model = linear(&device, 3, 4);
            let bias = model.bias.as_ref().unwrap().val();
            let gradients = Gradients::from_backward(loss(&model, 0) + bias.sum() * bad, &model);
            match gradients.clip(Some(1.0)).unwrap_err() {
                Error::NonFiniteGradient { path } => assert_eq!(path, "bias", "{name}"),
                error => panic!("{error}"),
            }
        }
    }
}
