//! `tensor-train/language-model`: a decoder of words, with tables of all forms.

mod config;
mod corpus;
mod words;

pub use config::LanguageModelConfig;

use anyhow::{Context as _, Result};
use burn::module::Module;
use serde::{Deserialize, Serialize};
use sixfold_model::train::ParamGroups;
use sixfold_model::{
    Batch, CausalLm, LmHeadSpec, PaddingSide, Seed, TransformerSpec, next_token_labels,
};

use self::corpus::{Corpus, Example};
use super::comparison;
use super::losses::{Losses, at_positions};
use super::tables::{Choice, Tables};
use super::training::train;
use crate::config::ExperimentFile;
use crate::context::Context;
use crate::data::{Input, WordNumbers};
use crate::estimate::Work;
use crate::experiment::Experiment;
use crate::experiments::experiment_file;
use crate::present::Presentation;
use crate::record::{Better, Metric, Results};

/// The experiment.
#[derive(Clone, Copy, Debug, Default)]
pub struct LanguageModel;

impl Experiment for LanguageModel {
    type Config = LanguageModelConfig;

    fn name(&self) -> &'static str {
        "tensor-train/language-model"
    }

    fn title(&self) -> &'static str {
        "a decoder of words with tables of all forms, read and scored with"
    }

    fn file(&self) -> ExperimentFile {
        experiment_file!("tensor-train/language-model")
    }

    fn inputs(&self, config: &LanguageModelConfig) -> Vec<Input> {
        vec![config.text.input("text")]
    }

    fn work(&self, config: &LanguageModelConfig) -> Vec<Work> {
        let step = format!("{} tokens", config.recipe.batch_tokens);
        vec![Work::epochs(config.embeddings.len(), config.recipe.epochs, &step)]
    }

    fn run(&self, config: &LanguageModelConfig, cx: &mut Context) -> Result<()> {
        run(config, cx)
    }

    fn present(&self, _: &LanguageModelConfig, results: &Results) -> Presentation {
        words::present(results)
    }
}

/// What a cell keeps of a model.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Measured {
    /// Losses of the held-out words, by document.
    losses: Losses,
    /// Parameters of the tables.
    parameters: usize,
    model_parameters: usize,
    compression: f64,
    step_ms: Option<f64>,
}

/// Trains a decoder for every table, each as a resumable cell, on the same batches in the same
/// order from the same first parameters, tables aside.
fn run(config: &LanguageModelConfig, cx: &mut Context) -> Result<()> {
    let corpus = Corpus::read(config, cx)?;
    cx.record(Metric::new("words", corpus.numbers.n() as f64));
    cx.record(Metric::new("unknown", corpus.held_out.unknown()));
    cx.record(Metric::new("unigram_perplexity", corpus.unigram).better(Better::Lower));
    let mut first: Option<Measured> = None;
    for &choice in &config.embeddings {
        let name = choice.to_string();
        let found = cx.cell(&name, |cx| measure(config, choice, &corpus, cx))?;
        if first.is_none() {
            cx.note(format!(
                "{} words are learned from ({:.1} % unknown); {} words of the last {} documents are held out \
                 ({:.1} % unknown), of which {} are scored, ends of documents among them.",
                corpus.learned.words,
                100.0 * corpus.learned.unknown(),
                corpus.held_out.words,
                corpus.n_test,
                100.0 * corpus.held_out.unknown(),
                found.losses.n_tokens()
            ));
        }
        let mut metrics =
            comparison::loss_metrics(&found.losses, first.as_ref().map(|first| &first.losses))?;
        metrics.extend(comparison::size_metrics(
            found.parameters,
            found.model_parameters,
            found.compression,
            found.step_ms,
        ));
        for metric in metrics {
            cx.record(metric.at("embedding", name.as_str()));
        }
        first.get_or_insert(found);
    }
    cx.forget_checkpoints()
}

/// Trains a decoder with one of the tables, and measures it.
fn measure(
    config: &LanguageModelConfig,
    choice: Choice,
    corpus: &Corpus,
    cx: &Context,
) -> Result<Measured> {
    let device = sixfold_model::device(cx.device_name())?.autodiff();
    let seed = Seed::new(cx.seed());
    let recipe = &config.recipe;
    let vocab = corpus.numbers.n();
    let tables = recipe
        .tables(vocab, config.cores, config.rank)
        .tables(choice, true, seed.derive("tables"), &device)
        .with_context(|| {
            format!("embeddings: `{choice}` for a table of {vocab} × {}", recipe.d_model)
        })?;
    let (parameters, compression) = (tables.parameters(), tables.compression());
    let spec = TransformerSpec {
        embed_scale: Some((recipe.d_model as f64).sqrt()),
        dropout: recipe.dropout,
        ..TransformerSpec::decoder(vocab, recipe.d_model, recipe.n_layers, recipe.n_heads)
    };
    // Tied: what scores is in the tables, be it one or two.
    let CausalLm { body, head } = CausalLm::new(&spec, &LmHeadSpec::TIED, seed, &device);
    let model = CausalLm { body: body.map_embedding(|_| tables), head };
    let model_parameters = model.num_params();

    let settings = recipe.trainer(recipe.batch_tokens / config.context, cx.seed());
    let trained = train(
        model,
        corpus.train.len(),
        &settings,
        &ParamGroups::default(),
        choice,
        cx,
        |model, chosen| {
            let ids: Vec<Vec<u32>> = chosen.iter().map(|&at| corpus.train[at].clone()).collect();
            model.loss(&pad(&ids))
        },
    )?;
    let batch_size = recipe.batch_tokens.div_ceil(config.context);
    Ok(Measured {
        losses: losses(&trained.model, corpus, batch_size, cx)?,
        parameters,
        model_parameters,
        compression,
        step_ms: trained.step_ms,
    })
}

fn pad(ids: &[Vec<u32>]) -> Batch {
    Batch::pad(ids, WordNumbers::PAD, PaddingSide::Right)
}

/// The loss of every held-out word, by document.
fn losses(
    model: &CausalLm<Tables>,
    corpus: &Corpus,
    batch_size: usize,
    cx: &Context,
) -> Result<Losses> {
    let mut losses = Losses::new(corpus.n_test);
    for examples in corpus.test.chunks(batch_size) {
        cx.check_interrupt()?;
        let ids: Vec<Vec<u32>> = examples.iter().map(|one: &Example| one.ids.clone()).collect();
        let batch = pad(&ids);
        let hidden = model.body.forward(&batch)?;
        let labels = next_token_labels(&batch);
        for (position, loss) in at_positions(&model.body.embed.tokens, hidden, &labels) {
            let (row, column) = (position / batch.len(), position % batch.len());
            // The label of a position is the word behind it.
            losses.add(examples[row].documents[column + 1], loss);
        }
    }
    Ok(losses)
}
