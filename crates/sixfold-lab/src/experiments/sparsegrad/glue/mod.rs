//! `sparsegrad/glue`: SparseGrad beside full fine-tuning, LoRA, MeProp and controls on sentence tasks (the paper's
//! Tables 4, 9 and 10).

mod config;
mod words;

pub use config::{EncoderRef, GlueConfig};
pub(super) use config::{fraction_problem, task_inputs, twice};

use anyhow::Result;

use super::material::{Sentences, model_name};
use super::outcome::Outcome;
use super::study::{Chosen, Study};
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
pub struct Glue;

impl Experiment for Glue {
    type Config = GlueConfig;

    fn name(&self) -> &'static str {
        "sparsegrad/glue"
    }

    fn title(&self) -> &'static str {
        "SparseGrad, full fine-tuning, LoRA, MeProp on sentence tasks"
    }

    fn file(&self) -> ExperimentFile {
        experiment_file!("sparsegrad/glue")
    }

    fn inputs(&self, config: &GlueConfig) -> Vec<Input> {
        config.inputs()
    }

    fn work(&self, config: &GlueConfig) -> Vec<Work> {
        config.recipe.work(config.tasks.len() * config.methods.len(), config.max_tokens)
    }

    fn run(&self, config: &GlueConfig, cx: &mut Context) -> Result<()> {
        run(config, cx)
    }

    fn present(&self, config: &GlueConfig, results: &Results) -> Presentation {
        words::present(config, results)
    }
}

/// For every task and method: trials of learning rates with one seed, then a training with the run's, each a resumable
/// cell.
fn run(config: &GlueConfig, cx: &mut Context) -> Result<()> {
    let device = sixfold_model::device(cx.device_name())?.autodiff();
    let model = model_name(&config.model.dir);
    for &task in &config.tasks {
        let subject =
            Sentences::read(task, &config.model.dir, &config.glue, config.max_tokens, cx)?;
        if let Some(majority) = subject.majority() {
            let metric = Metric::new("majority", majority).unit("%").at("task", task.name());
            cx.record(metric);
        }
        let (recipe, common) = (&config.recipe, config.common());
        let mut trials = Study::new(&subject, recipe, &common, recipe.tune_seed)?;
        let mut study = Study::new(&subject, recipe, &common, cx.seed())?;
        let shapes = study.shapes(&device)?;
        for &method in &config.methods {
            let name = format!("{task} {method}");
            let mut place = Labels::default();
            for (label, value) in [("task", task.name()), ("method", method.name())] {
                place.set(label, value);
            }
            let way = trials.common.way(method, &shapes);
            let chosen = trials.learning_rate(&way, &name, &place, cx)?;
            let way = study.common.way(method, &shapes);
            let outcome = study.outcome(&way, chosen.lr, &name, &place, cx)?;
            for metric in metrics(&outcome, &chosen) {
                let metric = metric.at("model", model.as_str());
                cx.record(metric.at("task", task.name()).at("method", method.name()));
            }
            note_edge(&chosen, &name, cx);
        }
    }
    cx.forget_checkpoints()
}

/// The records of a method.
pub(super) fn metrics(outcome: &Outcome, chosen: &Chosen) -> Vec<Metric> {
    let scores = outcome
        .scores
        .iter()
        .map(|(name, value)| Metric::new(name.as_str(), *value).unit("%").better(Better::Higher));
    scores.chain(outcome.metrics()).chain(tuning_metrics(chosen)).collect()
}

/// What the trials of learning rates gave.
pub(super) fn tuning_metrics(chosen: &Chosen) -> Vec<Metric> {
    let mut metrics = vec![Metric::new("learning_rate", chosen.lr)];
    for (lr, loss) in &chosen.tried {
        if let Some(loss) = loss {
            let metric = Metric::new("tuning_loss", *loss).unit("nats").better(Better::Lower);
            metrics.push(metric.at("lr", *lr));
        }
    }
    metrics
}

/// Says where the best learning rate may lie outside the grid.
pub(super) fn note_edge(chosen: &Chosen, name: &str, cx: &mut Context) {
    let rates = || chosen.tried.iter().map(|(lr, _)| *lr);
    let ends = [rates().fold(f64::INFINITY, f64::min), rates().fold(0.0, f64::max)];
    if chosen.tried.len() > 1 && ends.contains(&chosen.lr) {
        let lr = chosen.lr;
        cx.note(format!("{name}: the best learning rate, {lr}, is at the end of the grid."));
    }
}
