//! One model: its training, what it writes, and how likely it finds the references.

use std::fs;

use anyhow::{Context as _, Result};
use burn::module::Module;
use serde::{Deserialize, Serialize};
use sixfold_model::train::ParamGroups;
use sixfold_model::{BeamConfig, Seed, Seq2Seq, Seq2SeqSpec, shift_right};

use super::super::losses::{Losses, at_positions};
use super::super::tables::{Choice, Tables};
use super::super::training::train;
use super::TranslationConfig;
use super::corpus::{Corpus, END, PAD};
use crate::bleu::Counts;
use crate::context::Context;
use crate::error::doing;

/// The folder of what the models wrote.
const WRITTEN: &str = "translations";

/// What a cell keeps of a model.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Measured {
    /// What BLEU takes from each sentence.
    pub(super) counts: Vec<Counts>,
    /// Losses of the references' tokens, by sentence.
    pub(super) losses: Losses,
    /// Parameters of the tables.
    pub(super) parameters: usize,
    pub(super) model_parameters: usize,
    pub(super) compression: f64,
    pub(super) step_ms: Option<f64>,
}

/// Trains a model with one of the tables, and measures it.
pub(super) fn measure(
    config: &TranslationConfig,
    choice: Choice,
    corpus: &Corpus,
    cx: &Context,
) -> Result<Measured> {
    let device = sixfold_model::device(cx.device_name())?.autodiff();
    let seed = Seed::new(cx.seed());
    let recipe = &config.recipe;
    let vocab = corpus.tokenizer.vocab_size();
    let tables = recipe
        .tables(vocab, config.cores, config.rank)
        .tables(choice, true, seed.derive("tables"), &device)
        .with_context(|| {
            format!("embeddings: `{choice}` for a table of {vocab} × {}", recipe.d_model)
        })?;
    let (parameters, compression) = (tables.parameters(), tables.compression());
    let mut tables = Some(tables);
    // Source and target read one table, so that there is one call.
    let model = Seq2Seq::new(&spec(config, vocab), seed, &device)
        .map_embedding(|_, _| tables.take().expect("one table of tokens"));
    let model_parameters = model.num_params();

    let settings = recipe.trainer(1, cx.seed());
    let trained = train(
        model,
        corpus.batches.len(),
        &settings,
        &ParamGroups::default(),
        choice,
        cx,
        |model, chosen| {
            let rows = chosen.iter().flat_map(|&batch| &corpus.batches[batch]);
            let rows: Vec<usize> = rows.copied().collect();
            let [source, target] = Corpus::pad(&corpus.train, &rows);
            model.loss(&source, &target)
        },
    )?;
    let written = translate(&trained.model, config, corpus, cx)?;
    keep(&format!("{choice}-{}", cx.seed()), &written, cx)?;
    let pairs = written.iter().zip(&corpus.test);
    Ok(Measured {
        counts: pairs.map(|(text, pair)| Counts::of(text, &pair.target)).collect(),
        losses: losses(&trained.model, corpus, cx)?,
        parameters,
        model_parameters,
        compression,
        step_ms: trained.step_ms,
    })
}

fn spec(config: &TranslationConfig, vocab: usize) -> Seq2SeqSpec {
    let recipe = &config.recipe;
    let mut spec = Seq2SeqSpec::translation(vocab, recipe.d_model, recipe.n_layers, recipe.n_heads);
    spec.start_token = PAD;
    for side in [&mut spec.encoder, &mut spec.decoder] {
        side.dropout = recipe.dropout;
    }
    spec
}

/// What a model writes for every test sentence.
fn translate(
    model: &Seq2Seq<Tables>,
    config: &TranslationConfig,
    corpus: &Corpus,
    cx: &Context,
) -> Result<Vec<String>> {
    let mut written = vec![String::new(); corpus.test.len()];
    let mut task = cx.progress().task("translate", corpus.test.len() as u64, "sentences");
    for rows in corpus.test_batches() {
        cx.check_interrupt()?;
        let [source, _] = Corpus::pad(&corpus.test_tokens, &rows);
        // Longer by half and ten is what no sentence needs; it ends searches that run astray.
        let longest = source.len() + source.len() / 2 + 10;
        let search = BeamConfig { beams: config.beams, ..BeamConfig::new(longest, [END]) };
        for (found, &row) in model.beam_search(&source, &search)?.iter().zip(&rows) {
            let best = found.first().map_or(&[][..], |hypothesis| &hypothesis.tokens);
            written[row] = corpus.text(best)?;
        }
        task.advance(rows.len() as u64);
    }
    Ok(written)
}

/// The loss of every token of the references, given the source and what stands before it.
fn losses(model: &Seq2Seq<Tables>, corpus: &Corpus, cx: &Context) -> Result<Losses> {
    let mut losses = Losses::new(corpus.test.len());
    for rows in corpus.test_batches() {
        cx.check_interrupt()?;
        let [source, target] = Corpus::pad(&corpus.test_tokens, &rows);
        let (inputs, labels) = shift_right(&target, PAD)?;
        let hidden = model.decoder.forward_over(&inputs, &model.encode(&source)?, &mut ())?;
        for (position, loss) in at_positions(&model.decoder.embed.tokens, hidden, &labels) {
            losses.add(rows[position / inputs.len()], loss);
        }
    }
    Ok(losses)
}

/// Writes sentences into the run's folder of translations, one a line.
pub(super) fn keep(name: &str, lines: &[String], cx: &Context) -> Result<()> {
    let path = cx.path(&format!("{WRITTEN}/{name}.txt"));
    let dir = cx.path(WRITTEN);
    fs::create_dir_all(&dir).with_context(|| doing("make", &dir))?;
    let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
    crate::atomic_write(&path, text)
}
