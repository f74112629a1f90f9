//! Oracle A6: in the right coordinates the gradients of a model that has learned are sparse, in those of the authors' code
//! less so, and in its own features not at all.

use std::sync::{Arc, Mutex};

use burn::module::Module;
use ndarray::{Array2, ArrayView2};
use sixfold_model::train::{AdamW, AdamWConfig, Gradients, ParamGroups};
use sixfold_model::{ClassifierSpec, Pooling, Seed, SequenceClassifier, TransformerSpec};
use sixfold_sparsegrad::diagnostics::energy;
use sixfold_sparsegrad::ops::Sink;
use sixfold_sparsegrad::{
    Adaptable, Adapted, Basis, Coordinates, SparseGradConfig, SunkLinear, calibrate, config::Mode,
};

use crate::{Tuned, examples, loss};

const D: usize = 64;

/// A classifier that has learned the rule of the examples.
fn learned() -> SequenceClassifier {
    let device = sixfold_model::device("flex").unwrap().autodiff();
    let head = ClassifierSpec {
        n_classes: 2,
        pooling: Pooling::First,
        dense: None,
        bias: true,
        dropout: 0.0,
    };
    let spec = TransformerSpec::encoder(40, D, 2, 4);
    let model = SequenceClassifier::new(&spec, &head, Seed::new(1), &device);
    let mut model: Tuned = model.adapt(&mut |_, linear| Adapted::Plain(linear));
    let data = examples(512);
    let mut adam = AdamW::new(AdamWConfig::default(), &ParamGroups::default(), &model).unwrap();
    for step in 0..150 {
        let chosen: Vec<usize> = (0..16).map(|i| (16 * step + i) % 256).collect();
        let gradients = Gradients::from_backward(loss(&model, &data, &chosen).unwrap(), &model);
        model = adam.step(model, gradients.clip(Some(1.0)).unwrap(), 1e-3);
    }
    sixfold_sparsegrad::merge(model)
}

/// Shares of the energy of gradients in the k largest entries, in several bases.
#[derive(Debug)]
struct Shares {
    bases: Vec<Basis>,
    k: usize,
    found: Mutex<Vec<Vec<f64>>>,
}

impl Sink for Shares {
    fn receive(&self, core: Vec<f32>) {
        let gradient = ArrayView2::from_shape(self.bases[0].weights(), &core).unwrap();
        let share = |basis: &Basis| {
            let core: Array2<f32> = basis.rotate(gradient).unwrap();
            energy(core.view(), self.k).unwrap()
        };
        self.found.lock().unwrap().push(self.bases.iter().map(share).collect());
    }
}

#[test]
fn gradients_are_sparse_in_the_right_orientation() {
    let model = learned();
    let data = examples(512);
    let batch = |i: usize| -> Vec<usize> { (0..16).map(|j| (16 * i + j) % 256).collect() };
    let config = SparseGradConfig {
        mode: Mode::Paper,
        realisation: sixfold_sparsegrad::config::Realisation::InPlace,
        ..SparseGradConfig::default()
    };
    let found = calibrate(&model, &config, |model, i| loss(model, &data, &batch(i))).unwrap();
    for (name, basis) in &found.bases {
        let [d_in, d_out] = basis.weights();
        let bases =
            vec![basis.clone(), basis.transposed_input().unwrap(), Basis::identity(d_in, d_out)];
        let k = (0.012 * (d_in * d_out) as f64).round() as usize;
        let shares = Arc::new(Shares { bases, k, found: Mutex::default() });
        let watched: Tuned = model.clone().no_grad().adapt(&mut |path, linear| {
            if found.basis_of.get(path) == Some(name) {
                let features = Basis::identity(d_in, d_out);
                let device = linear.weight.lazy_device();
                let features = Coordinates::new("features", &features, &device);
                return Adapted::Sunk(SunkLinear::new(linear, &features, shares.clone()));
            }
            Adapted::Plain(linear)
        });
        // Examples that neither the model nor the calibration has seen.
        for i in 0..8 {
            let chosen: Vec<usize> = (0..16).map(|j| 256 + 16 * i + j).collect();
            let _ = loss(&watched, &data, &chosen).unwrap().backward();
        }
        let all = shares.found.lock().unwrap();
        let mean = |at: usize| all.iter().map(|x| x[at]).sum::<f64>() / all.len() as f64;
        let [correct, reference, identity] = [mean(0), mean(1), mean(2)];
        println!("{name}: {correct:.3}, reference {reference:.3}, identity {identity:.3}");
        assert!(correct >= 0.95, "{name}: {correct}");
        assert!(correct >= 2.0 * identity, "{name}: {correct}, identity {identity}");
        assert!(
            1.0 - correct <= 0.5 * (1.0 - reference),
            "{name}: {correct}, reference {reference}"
        );
    }
}
