//! `sparsegrad/qa`: instruction tuning of a decoder, scored on held-out answers by method at equal size (what the paper's
//! Table 6 asks of LLaMa-2).

mod config;
mod material;
mod words;

pub use config::{InstructionsRef, QaConfig};

use anyhow::Result;

use self::material::Questions;
use super::glue::{note_edge, tuning_metrics};
use super::study::{Study, Subject};
use crate::config::ExperimentFile;
use crate::context::Context;
use crate::data::Input;
use crate::estimate::Work;
use crate::experiment::Experiment;
use crate::experiments::experiment_file;
use crate::present::Presentation;
use crate::record::{Better, Labels, Metric, Results};

/// The experiment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Qa;

impl Experiment for Qa {
    type Config = QaConfig;

    fn name(&self) -> &'static str {
        "sparsegrad/qa"
    }

    fn title(&self) -> &'static str {
        "instruction tuning of a decoder, scored on held-out answers"
    }

    fn file(&self) -> ExperimentFile {
        experiment_file!("sparsegrad/qa")
    }

    fn inputs(&self, config: &QaConfig) -> Vec<Input> {
        config.inputs()
    }

    fn work(&self, config: &QaConfig) -> Vec<Work> {
        config.recipe.work(config.methods.len(), config.max_tokens)
    }

    fn run(&self, config: &QaConfig, cx: &mut Context) -> Result<()> {
        run(config, cx)
    }

    fn present(&self, config: &QaConfig, results: &Results) -> Presentation {
        words::present(config, results)
    }
}

/// For every method: trials of learning rates, then a training and its answers, each a resumable cell; and the model as it
/// was.
fn run(config: &QaConfig, cx: &mut Context) -> Result<()> {
    let device = sixfold_model::device(cx.device_name())?.autodiff();
    let subject = Questions::read(config, cx)?;
    let [n, n_test] = subject.n();
    cx.note(format!(
        "{n} instructions are learned from and {n_test} score; {} were longer than {} tokens and are left out.",
        subject.left_out, config.max_tokens
    ));
    let untuned = cx.cell("untuned", |cx| {
        let device = sixfold_model::device(cx.device_name())?;
        subject.untuned(&device)
    })?;
    for metric in scores(&untuned) {
        cx.record(metric.at("method", "untuned"));
    }
    let (recipe, common) = (&config.recipe, config.common());
    let mut trials = Study::new(&subject, recipe, &common, recipe.tune_seed)?;
    let mut study = Study::new(&subject, recipe, &common, cx.seed())?;
    let shapes = study.shapes(&device)?;
    for &method in &config.methods {
        let name = method.name();
        let mut place = Labels::default();
        place.set("method", name);
        let way = trials.common.way(method, &shapes);
        let chosen = trials.learning_rate(&way, name, &place, cx)?;
        let way = study.common.way(method, &shapes);
        let outcome = study.outcome(&way, chosen.lr, name, &place, cx)?;
        let rest = outcome.metrics().into_iter().chain(tuning_metrics(&chosen));
        for metric in scores(&outcome.scores).into_iter().chain(rest) {
            cx.record(metric.at("method", name));
        }
        note_edge(&chosen, name, cx);
    }
    cx.forget_checkpoints()
}

/// The records of some scores.
fn scores(scores: &[(String, f64)]) -> Vec<Metric> {
    let metrics = scores.iter().map(|(name, value)| {
        let metric = Metric::new(name.as_str(), *value);
        match name.as_str() {
            "loss" => metric.unit("nats").better(Better::Lower),
            "perplexity" => metric.better(Better::Lower),
            _ => metric.unit("%").better(Better::Higher),
        }
    });
    metrics.collect()
}

impl Questions {
    /// The scores of the model before any training.
    fn untuned(&self, device: &burn::tensor::Device) -> Result<Vec<(String, f64)>> {
        use sixfold_sparsegrad::{Adaptable, Adapted};
        let model = self.model(sixfold_model::Seed::new(0), device)?;
        self.scores(&model.adapt(&mut |_, linear| Adapted::Plain(linear)))
    }
}
