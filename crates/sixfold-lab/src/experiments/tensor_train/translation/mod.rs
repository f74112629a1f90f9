//! `tensor-train/translation`: a transformer that translates, with tables of all forms.

mod config;
mod corpus;
mod measure;
mod words;

pub use config::{PairFiles, TranslationConfig};

use anyhow::Result;

use self::corpus::Corpus;
use self::measure::{Measured, measure};
use super::comparison;
use super::losses::Estimate;
use crate::bleu::Counts;
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
pub struct Translation;

impl Experiment for Translation {
    type Config = TranslationConfig;

    fn name(&self) -> &'static str {
        "tensor-train/translation"
    }

    fn title(&self) -> &'static str {
        "translation with tables of all forms, read and scored with"
    }

    fn file(&self) -> ExperimentFile {
        experiment_file!("tensor-train/translation")
    }

    fn inputs(&self, config: &TranslationConfig) -> Vec<Input> {
        config.inputs()
    }

    fn work(&self, config: &TranslationConfig) -> Vec<Work> {
        let step = format!("{} tokens", config.recipe.batch_tokens);
        vec![Work::epochs(config.embeddings.len(), config.recipe.epochs, &step)]
    }

    fn run(&self, config: &TranslationConfig, cx: &mut Context) -> Result<()> {
        run(config, cx)
    }

    fn present(&self, config: &TranslationConfig, results: &Results) -> Presentation {
        words::present(config, results)
    }
}

/// Trains a model for every table, each as a resumable cell, on the same batches in the same order
/// from the same first parameters, tables aside.
fn run(config: &TranslationConfig, cx: &mut Context) -> Result<()> {
    let corpus = Corpus::read(config, cx)?;
    let references: Vec<String> = corpus.test.iter().map(|pair| pair.target.clone()).collect();
    measure::keep("references", &references, cx)?;
    cx.note(format!(
        "{} pairs are learned from ({} with more than {} tokens are not), in {} batches that stay together; \
         a joint vocabulary of {} subwords; {} pairs are measured on, once, after the training.",
        corpus.train.len(),
        corpus.left_out,
        config.max_tokens,
        corpus.batches.len(),
        corpus.tokenizer.vocab_size(),
        corpus.test.len()
    ));
    let mut first: Option<Measured> = None;
    for &choice in &config.embeddings {
        let name = choice.to_string();
        let found = cx.cell(&name, |cx| measure(config, choice, &corpus, cx))?;
        for metric in metrics(&found, first.as_ref())? {
            cx.record(metric.at("embedding", name.as_str()));
        }
        first.get_or_insert(found);
    }
    cx.forget_checkpoints()
}

/// The records of a model, and how it differs from the first one.
fn metrics(found: &Measured, first: Option<&Measured>) -> Result<Vec<Metric>> {
    let bleu = |of: &Measured, drawn: &[usize]| {
        drawn.iter().map(|&at| of.counts[at]).sum::<Counts>().bleu()
    };
    let n = found.counts.len();
    let own = Estimate::over(n, |drawn| bleu(found, drawn))?;
    let mut metrics = vec![Metric::new("bleu", own.value).ci95(own.ci95).better(Better::Higher)];
    if let Some(first) = first {
        let change = Estimate::over(n, |drawn| bleu(found, drawn) - bleu(first, drawn))?;
        metrics.push(
            Metric::new("bleu_change", change.value).ci95(change.ci95).better(Better::Higher),
        );
    }
    metrics.extend(comparison::loss_metrics(&found.losses, first.map(|first| &first.losses))?);
    metrics.extend(comparison::size_metrics(
        found.parameters,
        found.model_parameters,
        found.compression,
        found.step_ms,
    ));
    Ok(metrics)
}
