//! `tensor-train/sentiment`: what a small table costs in the accuracy of a classifier that is
//! trained with it (the paper's Table 1).

mod config;
mod model;
mod training;
mod words;

pub use config::{ReviewsRef, SentimentConfig};

use anyhow::Result;

use self::training::{Material, Trained};
use super::comparison;
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
pub struct Sentiment;

impl Experiment for Sentiment {
    type Config = SentimentConfig;

    fn name(&self) -> &'static str {
        "tensor-train/sentiment"
    }

    fn title(&self) -> &'static str {
        "reviews read through small tables: LSTM over TT, TR, low rank"
    }

    fn file(&self) -> ExperimentFile {
        experiment_file!("tensor-train/sentiment")
    }

    fn inputs(&self, config: &SentimentConfig) -> Vec<Input> {
        config.inputs()
    }

    fn work(&self, config: &SentimentConfig) -> Vec<Work> {
        let step = format!("{} reviews", config.recipe.batch_size);
        vec![Work::epochs(config.embeddings.len(), config.recipe.epochs, &step)]
    }

    fn run(&self, config: &SentimentConfig, cx: &mut Context) -> Result<()> {
        run(config, cx)
    }

    fn present(&self, config: &SentimentConfig, results: &Results) -> Presentation {
        words::present(config, results)
    }
}

/// Trains a classifier with each table, as a resumable cell, and measures it on reviews that
/// nothing was chosen by.
fn run(config: &SentimentConfig, cx: &mut Context) -> Result<()> {
    let material = Material::read(config, cx)?;
    let [n_train, n_held_out] = material.sizes();
    cx.record(Metric::new("majority", material.majority()).better(Better::Higher));
    cx.note(format!(
        "{n_train} reviews are learned from and {n_held_out} report, after a fixed number of \
         epochs; {} numbers for words, the table of {} columns is {} numbers when it is dense.",
        material.vocab,
        config.d_embed,
        material.vocab * config.d_embed
    ));
    cx.record(Metric::new("unknown", material.unknown).unit("share of words"));
    let mut first: Option<Trained> = None;
    for &choice in &config.embeddings {
        let name = choice.to_string();
        let found = cx.cell(&name, |cx| material.train(config, choice, cx))?;
        for metric in metrics(&found, first.as_ref(), n_held_out) {
            cx.record(metric.at("embedding", name.as_str()));
        }
        first.get_or_insert(found);
    }
    cx.forget_checkpoints()
}

/// The records of a classifier, and how it differs from the first one.
fn metrics(found: &Trained, first: Option<&Trained>, n: usize) -> Vec<Metric> {
    let share = |name: &str, value| Metric::new(name, value).better(Better::Higher);
    let interval = over_examples(found.accuracy, n);
    let mut metrics = vec![share("accuracy", found.accuracy).ci95(Some(interval))];
    if let Some(first) = first {
        metrics.push(share("accuracy_change", found.accuracy - first.accuracy));
    }
    metrics.extend(found.accuracy_int8.map(|accuracy| share("accuracy_int8", accuracy)));
    metrics.push(share("train_accuracy", found.train_accuracy));
    metrics.extend(comparison::size_metrics(
        found.parameters,
        found.model_parameters,
        found.compression,
        found.step_ms,
    ));
    metrics
}

/// The 95 % interval of a share of n, by Wilson.
fn over_examples(share: f64, n: usize) -> [f64; 2] {
    let (n, z) = (n as f64, 1.959_964);
    let centre = share + z * z / (2.0 * n);
    let half = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    [centre - half, centre + half].map(|end| end / (1.0 + z * z / n))
}

#[cfg(test)]
mod tests {
    use super::over_examples;

    #[test]
    fn an_interval_of_a_share_is_wilsons() {
        // 8 of 10: .490 to .943 (Brown, Cai and DasGupta 2001, section 3.1.1).
        let [low, high] = over_examples(0.8, 10);
        assert!((low - 0.490).abs() < 1e-3 && (high - 0.943).abs() < 1e-3, "{low} {high}");
        let [low, high] = over_examples(1.0, 20);
        assert!(low < 1.0 && (high - 1.0).abs() < 1e-12);
    }
}
