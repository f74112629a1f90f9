//! Fine-tuning MiniLM on RTE as `fixtures/sixfold-model/finetune_rte.py` does it: what the test
//! and the example of it share. The script's documentation states every rule.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use serde_json::Value;
use sixfold_model::train::{AdamWConfig, ParamGroups, Trainer, TrainerConfig};
use sixfold_model::{
    Batch, Checkpoint, EncodeOptions, Encoding, Observer, Result, Seed, SequenceClassifier, Step,
    Tokenizer,
};

const CLASSES: [&str; 2] = ["entailment", "not_entailment"];
/// Examples in a step.
pub(crate) const BATCH: usize = 16;

/// Pairs of sentences in tokens, with their classes.
pub(crate) struct Pairs {
    tokenizer: Tokenizer,
    encodings: Vec<Encoding>,
    classes: Vec<i32>,
}

impl Pairs {
    /// Reads a file of GLUE: index, first sentence, second sentence, label; no quoting.
    pub(crate) fn read(path: &Path, tokenizer: &Tokenizer) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| sixfold_model::Error::Io { path: path.to_owned(), source })?;
        let rows: Vec<Vec<&str>> =
            text.lines().skip(1).map(|line| line.split('\t').collect()).collect();
        let pairs: Vec<(&str, &str)> = rows.iter().map(|row| (row[1], row[2])).collect();
        let class = |row: &Vec<&str>| CLASSES.iter().position(|class| *class == row[3]);
        let options = EncodeOptions { max_tokens: Some(128), ..EncodeOptions::default() };
        Ok(Self {
            encodings: tokenizer.encode_pairs(&pairs, &options)?,
            classes: rows.iter().map(|row| class(row).expect("a class of RTE") as i32).collect(),
            tokenizer: tokenizer.clone(),
        })
    }

    /// Examples.
    pub(crate) fn len(&self) -> usize {
        self.classes.len()
    }

    /// Some of the examples, filled up to the longest of them.
    pub(crate) fn batch(&self, examples: &[usize]) -> (Batch, Vec<i32>) {
        let encodings: Vec<Encoding> =
            examples.iter().map(|&i| self.encodings[i].clone()).collect();
        let classes = examples.iter().map(|&i| self.classes[i]).collect();
        (self.tokenizer.pad(&encodings, &EncodeOptions::default()), classes)
    }
}

/// The example at place `k` of the epoch.
pub(crate) fn place(k: usize, n: usize) -> usize {
    (1009 * k + 7) % n
}

/// MiniLM with its pooler, and new scores from a closed formula.
pub(crate) fn classifier(dir: &Path, device: &Device) -> Result<SequenceClassifier> {
    let checkpoint = Checkpoint::open(dir)?.without_dropout();
    let mut model = checkpoint.classifier(Seed::new(0), device)?;
    let d = checkpoint.spec().d_output();
    let score = |i: usize| 0.07 * ((48_271 * i % 2003) as f64 / 2003.0 - 0.5);
    // The formula counts along rows of `[classes, d]`; ours is `[d, classes]`.
    let values: Vec<f32> = (0..2 * d).map(|at| score((at % 2) * d + at / 2) as f32).collect();
    let weight = Tensor::from_data(TensorData::new(values, [d, 2]), device).require_grad();
    model.head.output.weight = Param::initialized(model.head.output.weight.id, weight);
    Ok(model)
}

/// One epoch, as the script trains it.
pub(crate) fn trainer(
    model: SequenceClassifier,
    n: usize,
    peak_lr: f64,
) -> Result<Trainer<SequenceClassifier>> {
    let config = TrainerConfig {
        batch_size: BATCH,
        epochs: 1,
        shuffle: false,
        peak_lr,
        warmup_ratio: 0.1,
        optimizer: AdamWConfig { weight_decay: 0.01, ..AdamWConfig::default() },
        clip_norm: Some(1.0),
        ..TrainerConfig::default()
    };
    Trainer::new(model, n, &config, &ParamGroups::default())
}

/// What every step showed, up to some step.
pub(crate) struct Curve {
    pub(crate) steps: usize,
    pub(crate) losses: Vec<f64>,
    pub(crate) norms: Vec<f64>,
    pub(crate) rates: Vec<f64>,
    pub(crate) seconds: Vec<f64>,
    begun: Instant,
    each: fn(usize, f64, f64),
}

impl Curve {
    /// Stops after `steps`; `each` gets number, loss and seconds of every step.
    pub(crate) fn new(steps: usize, each: fn(usize, f64, f64)) -> Self {
        let (losses, norms, rates, seconds) = Default::default();
        Self { steps, losses, norms, rates, seconds, begun: Instant::now(), each }
    }

    /// The largest relative errors against the kept losses: in the first 20 steps, and in all
    /// that were taken.
    pub(crate) fn errors(&self, golden: &Value) -> (f64, f64) {
        let expected = numbers(&golden["losses"]);
        let errors = self.losses.iter().zip(&expected).map(|(found, e)| (found - e).abs() / e);
        let errors: Vec<f64> = errors.collect();
        let largest = |errors: &[f64]| errors.iter().fold(0.0_f64, |max, &e| max.max(e));
        (largest(&errors[..errors.len().min(20)]), largest(&errors))
    }
}

impl Observer for Curve {
    fn on_start(&mut self, _: &str, _: Option<usize>) {
        self.begun = Instant::now();
    }

    fn on_step(&mut self, step: &Step<'_>) -> ControlFlow<()> {
        self.seconds.push(self.begun.elapsed().as_secs_f64());
        let value = |name| step.values.iter().find(|(known, _)| *known == name);
        let value = |name| value(name).map_or(f64::NAN, |(_, value)| *value);
        self.losses.push(value("loss"));
        self.norms.push(value("grad_norm"));
        self.rates.push(value("lr"));
        (self.each)(step.index, value("loss"), *self.seconds.last().unwrap_or(&0.0));
        self.begun = Instant::now();
        if step.index + 1 < self.steps { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

/// A list of numbers in JSON.
pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
}
