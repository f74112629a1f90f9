//! `geometry/training`: anisotropy and dimension while a model trains.

mod checkpoints;
mod config;
mod words;

pub use checkpoints::{Checkpoints, step_of};
pub use config::TrainingConfig;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use sixfold_model::{Checkpoint, Seed, Transformer};

use super::Score;
use super::probe::{Probe, Probed, probe};
use super::score::Control;
use crate::config::ExperimentFile;
use crate::context::Context;
use crate::data::Input;
use crate::estimate::Work;
use crate::experiment::Experiment;
use crate::experiments::decoder::{Material, Recipe, Training as Decoder};
use crate::experiments::experiment_file;
use crate::experiments::profile::{ModelRef, Reading};
use crate::present::Presentation;
use crate::record::{Better, Metric, Results};

/// Examples of each part on which a loss is taken.
const LOSS_EXAMPLES: usize = 64;

/// The state of a model at one step, as its cell keeps it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Loss on text that was learned from.
    pub train_loss: Option<f64>,
    /// Loss on text that was not.
    pub heldout_loss: Option<f64>,
    /// The numbers of every site.
    pub scores: Vec<Score>,
    /// What a reader has to know about them.
    pub notes: Vec<String>,
}

/// The experiment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Training;

impl Experiment for Training {
    type Config = TrainingConfig;

    fn name(&self) -> &'static str {
        "geometry/training"
    }

    fn title(&self) -> &'static str {
        "anisotropy and dimension while a model trains"
    }

    fn file(&self) -> ExperimentFile {
        experiment_file!("geometry/training")
    }

    fn inputs(&self, config: &TrainingConfig) -> Vec<Input> {
        config.inputs()
    }

    fn work(&self, config: &TrainingConfig) -> Vec<Work> {
        match config.checkpoints {
            Checkpoints::Train => vec![config.recipe.work(1)],
            Checkpoints::Dirs(_) => Vec::new(),
        }
    }

    fn run(&self, config: &TrainingConfig, cx: &mut Context) -> Result<()> {
        match &config.checkpoints {
            Checkpoints::Train => train(config, cx),
            Checkpoints::Dirs(_) => visit(config, cx),
        }
    }

    fn present(&self, config: &TrainingConfig, results: &Results) -> Presentation {
        words::present(config, results)
    }
}

impl TrainingConfig {
    fn probe(&self, seed: Seed) -> Probe<'_> {
        Probe {
            filters: &self.filters,
            sample: self.sample,
            estimators: &self.estimators,
            gaussian: false,
            seed,
        }
    }
}

/// Trains the recipe's decoder and measures it on the way, each time as a resumable cell.
fn train(config: &TrainingConfig, cx: &mut Context) -> Result<()> {
    let material = Material::read(&config.recipe, &config.text, cx)?;
    let held_out = material.held_out.iter().cloned().map(Ok);
    let Recipe { context, batch_size, .. } = config.recipe;
    let dir = cx.checkpoints();
    let reading = Reading::of(held_out, &material.tokenizer, context, 0, config.text.max_tokens)?;
    cx.note(format!(
        "{} tokens to learn from; measured on {} held-out tokens of {} documents.",
        material.n_train(),
        reading.n_tokens,
        reading.n_documents
    ));
    let mut training = None;
    for step in config.recipe.measured_steps() {
        let measured = cx.cell(&format!("step {step}"), |cx| {
            let training = match &mut training {
                Some(training) => training,
                empty => empty.insert(Decoder::begin(&config.recipe, &material, step, &dir, cx)?),
            };
            training.advance(step, cx)?;
            let model = training.model();
            let [train_loss, heldout_loss] = material.losses(&model, batch_size, LOSS_EXAMPLES)?;
            let (train_loss, heldout_loss) = (Some(train_loss), Some(heldout_loss));
            let what = format!("step {step}");
            let seed = Seed::new(cx.seed());
            let Probed { scores, notes, .. } =
                probe(&model.body, &reading, &config.probe(seed), &what, cx)?;
            Ok(Measured { train_loss, heldout_loss, scores, notes })
        })?;
        // What is to be known about the text and the sample is the same at every step.
        let notes = if step == 0 { measured.notes } else { Vec::new() };
        record(Measured { notes, ..measured }, |metric| metric.at("step", step), cx);
    }
    cx.forget_checkpoints()
}

/// Measures a list of checkpoints, and the first one's architecture with random weights.
fn visit(config: &TrainingConfig, cx: &mut Context) -> Result<()> {
    let by_step = config.by_step();
    if let Some((first, dir)) = by_step.first().filter(|(step, _)| *step > 0) {
        let measured = cx.cell("untrained", |cx| of_checkpoint(config, dir, true, cx))?;
        let of = |score: Score| score.of(Control::Untrained);
        let scores = measured.scores.into_iter().map(of).collect();
        record(Measured { scores, ..measured }, |metric| metric, cx);
        cx.note(format!("No checkpoint is of step 0 (the first is of {first}): the untrained control has random weights of our own."));
    }
    for (step, dir) in by_step {
        let measured =
            cx.cell(&format!("step {step}"), |cx| of_checkpoint(config, dir, false, cx))?;
        record(measured, |metric| metric.at("step", step), cx);
    }
    Ok(())
}

fn of_checkpoint(
    config: &TrainingConfig,
    dir: &ModelRef,
    untrained: bool,
    cx: &mut Context,
) -> Result<Measured> {
    let path = cx.locator().existing("checkpoints", &dir.dir)?;
    let text = cx.locator().existing("text.path", &config.text.path)?;
    let device = sixfold_model::device(cx.device_name())?;
    let checkpoint = Checkpoint::open(&path)?;
    let reading = Reading::new(&path, &checkpoint, &text, &config.text)?;
    let seed = Seed::new(cx.seed());
    let random = seed.derive("untrained");
    let what = if untrained { "untrained".to_owned() } else { dir.name() };
    let mut losses = None;
    let body: Transformer = match (checkpoint.spec().causal, untrained) {
        (true, true) => {
            let model = checkpoint.init_causal_lm(random, &device);
            losses = Some(reading.mean_loss(&model)?);
            model.body
        }
        (true, false) => {
            let model = checkpoint.causal_lm(&device)?;
            losses = Some(reading.mean_loss(&model)?);
            model.body
        }
        (false, true) => checkpoint.init_transformer(random, &device),
        (false, false) => checkpoint.transformer(&device)?,
    };
    let Probed { scores, notes, .. } = probe(&body, &reading, &config.probe(seed), &what, cx)?;
    Ok(Measured { train_loss: None, heldout_loss: losses, scores, notes })
}

fn record(measured: Measured, place: impl Fn(Metric) -> Metric, cx: &mut Context) {
    for (split, loss) in [("train", measured.train_loss), ("heldout", measured.heldout_loss)] {
        if let Some(loss) = loss {
            let metric = place(Metric::new("loss", loss)).at("split", split);
            cx.record(metric.unit("nats").better(Better::Lower));
        }
    }
    for score in measured.scores {
        cx.record(score.record(&place));
    }
    for note in measured.notes {
        cx.note(note);
    }
}
