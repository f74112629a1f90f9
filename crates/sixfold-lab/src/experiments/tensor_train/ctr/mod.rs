//! `tensor-train/ctr`: how likely a click is, from bags of categories in small tables.

mod config;
mod model;
mod score;
mod training;
mod words;

pub use config::{ClicksRef, CtrConfig, CtrRecipe};

use anyhow::Result;
use sixfold_sgns::evaluation::bootstrap_interval;

use self::score::{auc, logloss};
use self::training::Material;
use crate::config::ExperimentFile;
use crate::context::Context;
use crate::data::Input;
use crate::experiment::Experiment;
use crate::experiments::experiment_file;
use crate::present::Presentation;
use crate::record::{Better, Metric, Results};

/// Draws of an interval over rows.
const DRAWS: usize = 1_000;

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
    let constant = material.beside(&vec![rate; n_dev]);
    cx.record(Metric::new("logloss_constant", logloss(&constant)).better(Better::Lower));
    for &choice in &config.embeddings {
        let name = choice.to_string();
        let trained = cx.cell(&name, |cx| material.train(config, choice, cx))?;
        let found = material.beside(&trained.guesses);
        let scores = [
            ("logloss", logloss as fn(&[(f64, bool)]) -> f64, Better::Lower),
            ("auc", auc, Better::Higher),
        ];
        for (metric, score, better) in scores {
            let of = |rows: &[usize]| {
                let drawn: Vec<(f64, bool)> = rows.iter().map(|&row| found[row]).collect();
                score(&drawn)
            };
            let (low, high) = bootstrap_interval(found.len(), DRAWS, cx.seed(), of)?;
            let metric = Metric::new(metric, score(&found)).ci95(Some([low, high]));
            cx.record(metric.at("embedding", name.as_str()).better(better));
        }
        let parameters = Metric::new("parameters", trained.parameters as f64);
        cx.record(parameters.at("embedding", name.as_str()).better(Better::Lower));
        let compression = Metric::new("compression", trained.compression).unit("×");
        cx.record(compression.at("embedding", name.as_str()).better(Better::Higher));
    }
    cx.forget_checkpoints()
}
