//! Runs a golden case on a device and says how far it is off. Shared by the tests and by the
//! example that prints the table.

use std::path::{Path, PathBuf};

use burn::module::{ModuleMapper, Param};
use burn::tensor::{Device, Gradients, Tensor};
use sixfold_model::{
    Batch, CausalLm, Checkpoint, HeadKind, IGNORE, MaskedLm, SaveModel, Seed, SequenceClassifier,
    Site, Tap,
};
use sixfold_testkit::{Golden, fixtures, max_abs_error, max_relative_error};

/// The worst errors of a case: absolute for values, relative to the largest entry for gradients.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Errors {
    pub(crate) hidden: f64,
    pub(crate) logits: f64,
    pub(crate) loss: f64,
    pub(crate) gradient: f64,
}

impl Errors {
    pub(crate) fn worst(self, other: Self) -> Self {
        Self {
            hidden: self.hidden.max(other.hidden),
            logits: self.logits.max(other.logits),
            loss: self.loss.max(other.loss),
            gradient: self.gradient.max(other.gradient),
        }
    }

    pub(crate) fn within_tolerance(self) -> bool {
        self.hidden <= 1e-4 && self.logits <= 1e-4 && self.loss <= 1e-4 && self.gradient <= 1e-3
    }
}

/// All golden cases: directories with `golden.safetensors`.
pub(crate) fn cases() -> Vec<PathBuf> {
    let root = fixtures("sixfold-model");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(&root)
        .unwrap_or_else(|e| panic!("{}: {e}", root.display()))
        .map(|entry| entry.expect("a readable directory").path())
        .filter(|path| path.join("golden.safetensors").is_file())
        .collect();
    cases.sort();
    assert!(cases.len() >= 42, "golden cases are missing from {}", root.display());
    cases
}

/// `family-variant` of a case.
pub(crate) fn name(case: &Path) -> String {
    case.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Keeps what passes the residual sites and the final norm.
#[derive(Default)]
struct Recorder {
    residual: Vec<Tensor<3>>,
    last: Option<Tensor<3>>,
}

impl Tap for Recorder {
    fn visit(&mut self, site: Site, x: Tensor<3>) -> Tensor<3> {
        if site.residual_index().is_some() {
            self.residual.push(x.clone());
        }
        if site == Site::FinalNorm {
            self.last = Some(x.clone());
        }
        x
    }
}

/// The worst errors of a case on a device, over its paddings.
pub(crate) fn run(case: &Path, device: &Device) -> Errors {
    let golden = Golden::open(case.join("golden.safetensors"));
    let checkpoint = Checkpoint::open(case).unwrap_or_else(|e| panic!("{e}"));
    let device = device.clone().autodiff();
    let mut worst = Errors::default();
    let mut run_on = 0;
    for padding in ["right", "left"] {
        if !golden.has(&format!("{padding}.input_ids")) {
            continue;
        }
        run_on += 1;
        let case = Case::new(&golden, padding);
        let errors = match checkpoint.head() {
            Some(HeadKind::Classifier) => {
                let model =
                    checkpoint.classifier(Seed::new(0), &device).unwrap_or_else(|e| panic!("{e}"));
                case.classifier(&checkpoint, model)
            }
            Some(HeadKind::LanguageModel) if checkpoint.spec().causal => {
                let model = checkpoint.causal_lm(&device).unwrap_or_else(|e| panic!("{e}"));
                case.causal(&checkpoint, model)
            }
            Some(HeadKind::LanguageModel) => {
                let model = checkpoint.masked_lm(&device).unwrap_or_else(|e| panic!("{e}"));
                case.masked(&checkpoint, model)
            }
            head => panic!("{}: no head to compare ({head:?})", checkpoint.dir().display()),
        };
        worst = worst.worst(errors);
    }
    assert!(run_on > 0, "{}: no input", checkpoint.dir().display());
    worst
}

struct Case<'a> {
    golden: &'a Golden,
    padding: &'static str,
    batch: Batch,
    labels: Vec<i32>,
}

impl<'a> Case<'a> {
    fn new(golden: &'a Golden, padding: &'static str) -> Self {
        let ints = |name: &str| golden.i32(&format!("{padding}.{name}"));
        let unsigned = |values: Vec<i32>| values.into_iter().map(|v| v as u32).collect::<Vec<_>>();
        let (shape, ids) = ints("input_ids");
        let mask = ints("attention_mask").1.into_iter().map(|m| m == 1).collect();
        let mut batch = Batch::from_parts(shape[0], unsigned(ids), mask).expect("a rectangle");
        if golden.has(&format!("{padding}.token_type_ids")) {
            batch = batch.with_token_types(unsigned(ints("token_type_ids").1)).expect("as many");
        }
        Self { golden, padding, batch, labels: ints("labels").1 }
    }

    fn f32(&self, name: &str) -> Vec<f32> {
        self.golden.f32(&format!("{}.{name}", self.padding)).1
    }

    /// The worst error of `[batch, seq, d]` tensors where there is a token.
    fn at_tokens(&self, found: Tensor<3>, name: &str) -> f64 {
        let d = found.dims()[2];
        let keep = |values: &[f32]| -> Vec<f32> {
            let rows = values.chunks(d).zip(self.batch.mask());
            rows.filter(|(_, token)| **token).flat_map(|(row, _)| row.to_vec()).collect()
        };
        max_abs_error(&keep(&values(found)), &keep(&self.f32(name)))
    }

    fn hidden(&self, recorder: &Recorder) -> f64 {
        let mut worst = 0.0_f64;
        for (i, x) in recorder.residual.iter().enumerate() {
            worst = worst.max(self.at_tokens(x.clone(), &format!("hidden.{i}")));
        }
        let next = format!("{}.hidden.{}", self.padding, recorder.residual.len());
        assert!(!self.golden.has(&next), "fewer sites than the reference has");
        if let Some(last) = &recorder.last {
            worst = worst.max(self.at_tokens(last.clone(), "final"));
        }
        worst
    }

    /// Labels of the very position, from those of the next one.
    fn shifted(&self) -> Vec<i32> {
        let len = self.batch.len();
        let next = |i: usize| if (i + 1).is_multiple_of(len) { IGNORE } else { self.labels[i + 1] };
        (0..self.labels.len()).map(next).collect()
    }

    fn causal(&self, checkpoint: &Checkpoint, model: CausalLm) -> Errors {
        let mut recorder = Recorder::default();
        let logits = model.forward_with(&self.batch, &mut recorder).expect("a valid batch");
        let loss = model.loss_of(&self.batch, &self.shifted()).expect("valid labels");
        self.finish(checkpoint, model, &recorder, self.at_tokens(logits, "logits"), loss)
    }

    fn masked(&self, checkpoint: &Checkpoint, model: MaskedLm) -> Errors {
        let mut recorder = Recorder::default();
        let logits = model.forward_with(&self.batch, &mut recorder).expect("a valid batch");
        let loss = model.loss_of(&self.batch, &self.labels).expect("valid labels");
        self.finish(checkpoint, model, &recorder, self.at_tokens(logits, "logits"), loss)
    }

    fn classifier(&self, checkpoint: &Checkpoint, model: SequenceClassifier) -> Errors {
        let mut recorder = Recorder::default();
        let logits = model.forward_with(&self.batch, &mut recorder).expect("a valid batch");
        let logits = max_abs_error(&values(logits), &self.f32("logits"));
        let loss = model.loss(&self.batch, &self.labels).expect("valid labels");
        self.finish(checkpoint, model, &recorder, logits, loss)
    }

    fn finish<M: SaveModel>(
        &self,
        checkpoint: &Checkpoint,
        model: M,
        recorder: &Recorder,
        logits: f64,
        loss: Tensor<1>,
    ) -> Errors {
        let loss_error = max_abs_error(&values(loss.clone()), &self.f32("loss"));
        let gradients = gradients(checkpoint, model, loss);
        let prefix = format!("{}.grad.", self.padding);
        let mut gradient = 0.0_f64;
        let mut compared = 0;
        for name in self.golden.names() {
            let Some(tensor) = name.strip_prefix(&prefix) else { continue };
            let (shape, found) = gradients.get(tensor).unwrap_or_else(|| panic!("no {tensor}"));
            let (expected_shape, expected) = self.golden.f32(&name);
            assert_eq!(*shape, expected_shape, "{tensor}");
            gradient = gradient.max(max_relative_error(found, &expected));
            compared += 1;
        }
        assert!(compared >= 4, "{compared} gradients in the golden file");
        Errors { hidden: self.hidden(recorder), logits, loss: loss_error, gradient }
    }
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// The gradients of all parameters under the names and in the layout of the checkpoint.
fn gradients<M: SaveModel>(
    checkpoint: &Checkpoint,
    model: M,
    loss: Tensor<1>,
) -> sixfold_model::NamedTensors {
    struct Swap(Gradients);
    impl ModuleMapper for Swap {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let value = param.val();
            let gradient = value.grad(&self.0).unwrap_or_else(|| value.inner().zeros_like());
            Param::initialized(param.id, gradient)
        }
    }
    let model = model.map(&mut Swap(loss.backward()));
    checkpoint.tensors(&model).unwrap_or_else(|e| panic!("{e}"))
}
