//! What the tests of training share: a tiny task, the devices, the bits of a model.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use rand::Rng;
use sixfold_model::{
    Activation, Batch, ClassifierSpec, PaddingSide, PathTracker, Pooling, Result, Seed,
    SequenceClassifier, TransformerSpec, available_devices, device,
};

/// Keeps trainings of one process apart: each sets the generator that its backend has but once.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The devices that a test can run on, with autodiff.
pub(crate) fn devices() -> Vec<(&'static str, Device)> {
    let usable = |name: &&str| match *name {
        "cuda" => false,
        "wgpu" => sixfold_testkit::has_vulkan(),
        _ => true,
    };
    let names = available_devices().into_iter().filter(usable);
    names.map(|name| (name, device(name).unwrap().autodiff())).collect()
}

pub(crate) fn flex() -> Device {
    device("flex").unwrap().autodiff()
}

/// Sequences of six tokens; the class says whether token 1 is among them.
pub(crate) struct Task {
    pub(crate) texts: Vec<Vec<u32>>,
    pub(crate) labels: Vec<i32>,
}

impl Task {
    pub(crate) fn new(n: usize) -> Self {
        let mut random = Seed::new(3).stream("task");
        let mut draw = |n: u32| random.next_u32() % n;
        let texts: Vec<Vec<u32>> = (0..n)
            .map(|i| {
                let mut text: Vec<u32> = (0..6).map(|_| 2 + draw(14)).collect();
                if i % 2 == 0 {
                    text[draw(6) as usize] = 1;
                }
                text
            })
            .collect();
        let labels = texts.iter().map(|text| i32::from(text.contains(&1))).collect();
        Self { texts, labels }
    }

    pub(crate) fn loss(&self, model: &SequenceClassifier, examples: &[usize]) -> Result<Tensor<1>> {
        let texts: Vec<Vec<u32>> = examples.iter().map(|&i| self.texts[i].clone()).collect();
        let labels: Vec<i32> = examples.iter().map(|&i| self.labels[i]).collect();
        model.loss(&Batch::pad(&texts, 0, PaddingSide::Right), &labels)
    }
}

/// A classifier of a few thousand parameters.
pub(crate) fn classifier(seed: u64, dropout: f64, device: &Device) -> SequenceClassifier {
    let mut body = TransformerSpec::encoder(16, 16, 2, 2);
    body.dropout = dropout;
    body.attention.dropout = dropout;
    let head = ClassifierSpec {
        n_classes: 2,
        pooling: Pooling::Mean,
        dense: Some(Activation::Tanh),
        bias: true,
        dropout,
    };
    SequenceClassifier::new(&body, &head, Seed::new(seed), device)
}

/// Every float parameter by path, as raw bytes.
pub(crate) fn bits<M: Module>(model: &M) -> BTreeMap<String, Vec<u8>> {
    #[derive(Default)]
    struct Bits {
        tracker: PathTracker,
        found: BTreeMap<String, Vec<u8>>,
    }
    impl ModuleVisitor for Bits {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.tracker.enter(name, container);
        }
        fn exit_module(&mut self, _: &str, container: &str) {
            self.tracker.exit(container);
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.found.insert(self.tracker.path(), param.val().into_data().as_bytes().to_vec());
        }
    }
    let mut bits = Bits::default();
    model.visit(&mut bits);
    bits.found
}

/// The message of an error with those of its causes.
pub(crate) fn message(error: &sixfold_model::Error) -> String {
    let mut error: &dyn std::error::Error = error;
    let mut message = error.to_string();
    while let Some(source) = error.source() {
        message += &format!(": {source}");
        error = source;
    }
    message
}
