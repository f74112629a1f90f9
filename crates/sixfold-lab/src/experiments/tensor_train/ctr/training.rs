//! One training: rows in numbers, the steps, and what is measured after them.

use anyhow::{Context as _, Result};
use burn::module::Module;
use burn::tensor::activation::{log_sigmoid, sigmoid};
use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};
use sixfold_model::Seed;

use super::super::tables::{Choice, Recipe};
use super::super::training;
use super::CtrConfig;
use super::model::Clicker;
use crate::context::Context;
use crate::data::clicks::{self, COUNTS, FIELDS, Shown};
use crate::data::{Split, WordNumbers};

/// Rows of a batch that is only read.
const BATCH: usize = 1_024;

/// A row in numbers.
pub(super) struct Row {
    /// sign(x)·ln(1 + |x|), and 0 for what is not known.
    pub(super) counts: [f32; COUNTS],
    /// The rows of the table.
    pub(super) fields: [Option<u32>; FIELDS],
    pub(super) clicked: bool,
}

/// What is learned from, and what reports.
pub(super) struct Material {
    train: Vec<Row>,
    dev: Vec<Row>,
    /// Rows of the table.
    pub(super) vocab: usize,
}

/// What one training gives.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Trained {
    /// The guesses for what reports.
    pub(super) guesses: Vec<f64>,
    pub(super) parameters: usize,
    pub(super) model_parameters: usize,
    pub(super) compression: f64,
    pub(super) step_ms: Option<f64>,
}

impl Material {
    /// Reads both logs; categories are those of what is learned from.
    pub(super) fn read(config: &CtrConfig, cx: &Context) -> Result<Self> {
        let [train, dev] = match config.clicks.train.as_str() {
            "" => [Split::Train, Split::Dev].map(|split| clicks::generated(split, 0)),
            train => {
                let read = |key, path| clicks::clicks(&cx.locator().existing(key, path)?);
                [read("clicks.train", train)?, read("clicks.dev", &config.clicks.dev)?]
            }
        };
        let of_train: Vec<Vec<String>> = train.iter().map(named).collect();
        // No limit: rare categories share the number of what is unknown.
        let numbers = WordNumbers::most_frequent(&of_train, config.min_count, usize::MAX)
            .context("min_count leaves no category")?;
        let rows = |all: &[Shown]| all.iter().map(|shown| Row::of(shown, &numbers)).collect();
        Ok(Self { train: rows(&train), dev: rows(&dev), vocab: numbers.n() })
    }

    /// Rows that are learned from, and those that report.
    pub(super) fn sizes(&self) -> [usize; 2] {
        [self.train.len(), self.dev.len()]
    }

    /// The share of clicks in what is learned from: the guess of one who knows nothing else.
    pub(super) fn rate(&self) -> f64 {
        let clicked = self.train.iter().filter(|row| row.clicked).count();
        clicked as f64 / self.train.len() as f64
    }

    /// Whether a row that reports was clicked.
    pub(super) fn clicked(&self, row: usize) -> bool {
        self.dev[row].clicked
    }

    /// Trains a model over one table.
    ///
    /// # Errors
    /// A signal: the state is kept, and a later run goes on from it.
    pub(super) fn train(
        &self,
        config: &CtrConfig,
        choice: Choice,
        cx: &mut Context,
    ) -> Result<Trained> {
        let device = sixfold_model::device(cx.device_name())?.autodiff();
        let seed = Seed::new(cx.seed());
        let recipe = Recipe {
            vocab: self.vocab,
            d_embed: config.d_embed,
            cores: config.cores,
            rank: config.rank,
            std: config.recipe.std,
        };
        let table = recipe.table(choice, seed.derive("table"), &device)?;
        let parameters = table.num_params();
        let sizes = [config.d_embed as f64, config.dropout];
        let model = Clicker::new(table, sizes, &config.d_hidden, seed, &device);
        let model_parameters = model.num_params();

        let loss = |model: &Clicker, chosen: &[usize]| {
            let rows: Vec<&Row> = chosen.iter().map(|&i| &self.train[i]).collect();
            let sign = |row: &&Row| if row.clicked { 1.0 } else { -1.0 };
            let signs: Vec<f32> = rows.iter().map(sign).collect();
            let n = signs.len();
            let signs = Tensor::<1>::from_data(TensorData::new(signs, [n]), &device);
            let logits = model.forward(&rows, &device).expect("categories have rows");
            Ok(log_sigmoid(logits * signs).mean().neg())
        };
        let settings = config.recipe.trainer(cx.seed());
        let groups = config.recipe.groups(choice, "bags.**")?;
        let training::Trained { model, step_ms } =
            training::train(model, self.train.len(), &settings, &groups, choice, cx, loss)?;
        let guesses = self.guesses(&model, &device.without_autodiff())?;
        let compression = (self.vocab * config.d_embed) as f64 / parameters as f64;
        Ok(Trained { guesses, parameters, model_parameters, compression, step_ms })
    }

    fn guesses(&self, model: &Clicker, device: &Device) -> Result<Vec<f64>> {
        let mut guesses = Vec::with_capacity(self.dev.len());
        for rows in self.dev.chunks(BATCH) {
            let rows: Vec<&Row> = rows.iter().collect();
            guesses.extend(sigmoid(model.forward(&rows, device)?).into_data().iter::<f64>());
        }
        Ok(guesses)
    }
}

/// The categories of a row as words: a value belongs to its field.
fn named(shown: &Shown) -> Vec<String> {
    let known = shown.fields.iter().enumerate();
    known.filter_map(|(k, value)| Some(format!("{k}={}", value.as_ref()?))).collect()
}

impl Row {
    fn of(shown: &Shown, numbers: &WordNumbers) -> Self {
        let mut ids = numbers.of(&named(shown)).into_iter();
        let scaled = |count: Option<i64>| {
            let x = count.unwrap_or(0) as f32;
            x.signum() * x.abs().ln_1p()
        };
        Self {
            counts: shown.counts.map(scaled),
            fields: std::array::from_fn(|k| shown.fields[k].as_ref().and_then(|_| ids.next())),
            clicked: shown.clicked,
        }
    }
}
