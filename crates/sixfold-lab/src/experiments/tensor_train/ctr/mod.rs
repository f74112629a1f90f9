//! `tensor-train/ctr`: how likely a click is, from bags of categories in small tables.

mod config;
mod model;
mod score;
mod training;
mod words;

pub use config::{ClicksRef, CtrConfig};

use anyhow::Result;

use self::score::{auc, logloss};
use self::training::{Material, Trained};
use super::comparison;
use super::losses::Estimate;
use crate::config::ExperimentFile;
use crate::context::Context;
use crate::data::Input;
use crate::estimate::Work;
use crate::experiment::Experiment;
use crate::experiments::experiment_file;
use crate::present::Presentation;
use crate::record::{Better, Metric, Results};

/// The experiment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ctr;

impl Experiment for Ctr {
    type Config = CtrConfig;

    fn name(&self) -> &'static str {
        "tensor-train/ctr"
    }

    fn title(&self) -> &'static str {
        "click prediction: a perceptron over TT embedding bags"
    }

    fn file(&self) -> ExperimentFile {
        experiment_file!("tensor-train/ctr")
    }

    fn inputs(&self, config: &CtrConfig) -> Vec<Input> {
        config.inputs()
    }

    fn work(&self, config: &CtrConfig) -> Vec<Work> {
        let step = format!("{} impressions", config.recipe.batch_size);
        vec![Work::epochs(config.embeddings.len(), config.recipe.epochs, &step)]
    }

    fn run(&self, config: &CtrConfig, cx: &mut Context) -> Result<()> {
        run(config, cx)
    }

    fn present(&self, config: &CtrConfig, results: &Results) -> Presentation {
        words::present(config, results)
    }
}

/// Trains a model with each table, as a resumable cell, and scores its guesses.
fn run(config: &CtrConfig, cx: &mut Context) -> Result<()> {
    let material = Material::read(config, cx)?;
    let [n_train, n_dev] = material.sizes();
    let rate = material.rate();
    cx.note(format!(
        "{n_train} rows are learned from, {n_dev} report; a dense table has {} rows.",
        material.vocab
    ));
    let constant: Vec<_> = (0..n_dev).map(|row| (rate, material.clicked(row))).collect();
    cx.record(Metric::new("logloss_constant", logloss(&constant)).better(Better::Lower));
    let mut first: Option<Trained> = None;
    for &choice in &config.embeddings {
        let name = choice.to_string();
        let found = cx.cell(&name, |cx| material.train(config, choice, cx))?;
        for metric in metrics(&found, first.as_ref(), &material)? {
            cx.record(metric.at("embedding", name.as_str()));
        }
        first.get_or_insert(found);
    }
    cx.forget_checkpoints()
}

/// The records of a model, and how it differs from the first one.
fn metrics(found: &Trained, first: Option<&Trained>, material: &Material) -> Result<Vec<Metric>> {
    let mut metrics = Vec::new();
    let scores = [
        ("logloss", logloss as fn(&[(f64, bool)]) -> f64, Better::Lower),
        ("auc", auc, Better::Higher),
    ];
    for (name, score, better) in scores {
        let of = |of: &Trained, drawn: &[usize]| {
            let rows = drawn.iter().map(|&row| (of.guesses[row], material.clicked(row)));
            score(&rows.collect::<Vec<_>>())
        };
        let n = found.guesses.len();
        let own = Estimate::over(n, |drawn| of(found, drawn))?;
        metrics.push(Metric::new(name, own.value).ci95(own.ci95).better(better));
        if let Some(first) = first {
            let change = Estimate::over(n, |drawn| of(found, drawn) - of(first, drawn))?;
            let metric = Metric::new(format!("{name}_change"), change.value).ci95(change.ci95);
            metrics.push(metric.better(better));
        }
    }
    metrics.extend(comparison::size_metrics(
        found.parameters,
        found.model_parameters,
        found.compression,
        found.step_ms,
    ));
    Ok(metrics)
}
