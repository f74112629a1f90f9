//! Classifiers under audit: those of the user, and those that a run trains.
//!
//! A trained one is kept as a Hugging Face directory, so that other experiments find it: below `SIXFOLD_CACHE`, else
//! in the folder `.cache` of `runs`, else in one beside the run's directory. Its name has the SHA-256 of all that it
//! follows from: recipe, examples, tokenizer, pretrained weights and device.

mod cache;
mod config;
mod shape;
mod training;
mod vocabulary;

pub(super) use config::Source;
pub use config::{Pieces, Recipe, TrainingConfig, VictimConfig};

use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sixfold_model::{Checkpoint, EncodeOptions, Seed, Tokenizer};
use sixfold_triggers::{Error, ModelVictim, Victim, Vocabulary};

use super::splits::{Parts, hex};
use crate::context::Context;
use crate::data::Labelled;
use crate::error::doing;
use crate::experiments::encode::encode;
use crate::record::Labels;
use cache::Cache;
use training::Lessons;

/// A classifier, ready to be audited.
pub(super) struct Ready {
    pub(super) name: String,
    pub(super) victim: ModelVictim,
    pub(super) tokenizer: Tokenizer,
    pub(super) vocabulary: Vocabulary,
    pub(super) pad_id: u32,
    /// Whether it tells the two texts of a pair apart by their types.
    pub(super) has_types: bool,
    /// SHA-256 of config, weights and tokenizer.
    pub(super) hash: String,
    /// How it was trained, if a run of ours did it.
    pub(super) trained: Option<Training>,
}

/// How a classifier was trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Training {
    /// Steps.
    pub(super) steps: u64,
    /// Examples that it learned from.
    pub(super) examples: usize,
    /// Wall time; none of a training that was interrupted.
    pub(super) seconds: Option<f64>,
}

/// The classifier of a source for a task, trained now if it must be.
///
/// `added` are examples that it learns from besides those of the task.
///
/// # Errors
/// A directory without a classification head, or with other classes than the task; a signal.
pub(super) fn ready(
    source: &Source,
    parts: &Parts,
    added: &[Labelled],
    config: &TrainingConfig,
    cx: &Context,
) -> Result<Ready> {
    let (dir, trained) = match source {
        Source::Dir(dir) => (cx.locator().existing("victim.dir", dir)?, None),
        Source::Recipe(recipe) => {
            let (dir, training) = trained(*recipe, parts, added, config, cx)?;
            (dir, Some(training))
        }
    };
    let device = sixfold_model::device(cx.device_name())?;
    let (victim, tokenizer) = ModelVictim::from_dir(&dir, &device)?;
    let checkpoint = Checkpoint::open(&dir)?;
    check_classes(&victim, parts)?;
    Ok(Ready {
        name: source.name(),
        vocabulary: sixfold_triggers::vocabulary(&tokenizer, victim.vocab_size())?,
        pad_id: checkpoint.pad_token().unwrap_or(0),
        has_types: checkpoint.spec().token_types > 1,
        hash: hash_of(&dir)?,
        victim,
        tokenizer,
        trained,
    })
}

/// The model's classes are those of the task.
fn check_classes(victim: &ModelVictim, parts: &Parts) -> Result<()> {
    let n_classes = victim.n_classes();
    if let Some((example, label)) =
        parts.gold().into_iter().enumerate().find(|(_, label)| *label >= n_classes)
    {
        return Err(Error::Label { label, example, n_classes }.into());
    }
    if n_classes != parts.task.n_classes() {
        let (what, found) = ("the number of classes of the model", n_classes.to_string());
        let expected = format!("{}, as {} has", parts.task.n_classes(), parts.task);
        return Err(Error::Mismatch { what, expected, found }.into());
    }
    Ok(())
}

/// The directory of a trained classifier, from the cache or from a training now.
fn trained(
    recipe: Recipe,
    parts: &Parts,
    added: &[Labelled],
    config: &TrainingConfig,
    cx: &Context,
) -> Result<(std::path::PathBuf, Training)> {
    let rows: Vec<Labelled> =
        parts.lessons(config.max_train).iter().chain(added).cloned().collect();
    let texts: Vec<&str> = rows
        .iter()
        .flat_map(|row| [Some(row.text.as_str()), row.pair.as_deref()])
        .flatten()
        .collect();
    let json = shape::tokenizer(recipe, config, &texts, cx)?;
    let pretrained = match recipe {
        Recipe::Minilm => Some(cx.locator().existing("training.pretrained", &config.pretrained)?),
        _ => None,
    };
    let key = key(
        recipe,
        parts,
        &rows,
        config,
        json.as_ref(),
        (pretrained.as_deref(), cx.device_name()),
    )?;
    let name = format!("{recipe}-{}", parts.task);
    let cache = Cache::of(cx);
    if let Some(found) = cache.find(&name, &key) {
        cx.progress().say(&format!("{name}: kept in {}", found.0.display()));
        return Ok(found);
    }
    // The directory comes first: the tokenizer of a small model lies in it.
    let fresh = cache.begin()?;
    let (checkpoint, tokenizer) = match (&pretrained, json) {
        (Some(dir), _) => (Checkpoint::open(dir)?, Tokenizer::from_dir(dir)?),
        (None, json) => {
            let path = fresh.path().join("tokenizer.json");
            let text = json.unwrap_or_default().to_string();
            std::fs::write(&path, text).with_context(|| doing("write", &path))?;
            let tokenizer = Tokenizer::from_dir(fresh.path())?;
            let vocab = tokenizer.vocab_size();
            (shape::small(recipe, config, vocab, fresh.path())?, tokenizer)
        }
    };
    let checkpoint = checkpoint.with_classes(parts.task.n_classes());
    let longest = checkpoint.spec().max_positions.unwrap_or(usize::MAX);
    let mut encodings = encode(&tokenizer, &rows, config.max_tokens.min(longest))?;
    if checkpoint.spec().token_types < 2 {
        encodings.iter_mut().for_each(|one| one.token_types.fill(0));
    }
    let classes = rows.iter().map(|row| row.class() as i32).collect();
    let lessons = Lessons { tokenizer: &tokenizer, encodings, classes, epochs: config.epochs };
    let device = sixfold_model::device(cx.device_name())?.autodiff();
    let model = checkpoint.classifier(Seed::new(config.seed), &device);
    let model = match pretrained {
        Some(_) => model?,
        None => checkpoint.init_classifier(Seed::new(config.seed), &device),
    };
    let mut place = Labels::default();
    place.set("victim", recipe.name());
    place.set("task", parts.task.name());
    cx.progress().say(&format!("{name}: trained on {} examples", rows.len()));
    let state = cx.checkpoints().join(format!("victim-{}", &key[..16]));
    let done = lessons.train(model, &config.trainer(recipe), &state, &place, cx)?;
    checkpoint.save(&done.model, fresh.path())?;
    let training = Training { steps: done.steps, examples: rows.len(), seconds: done.seconds };
    let dir = cache.keep(fresh, &name, &key, &training)?;
    if state.is_dir() {
        std::fs::remove_dir_all(&state).with_context(|| doing("remove", &state))?;
    }
    Ok((dir, training))
}

/// SHA-256 of all that a trained classifier follows from.
fn key(
    recipe: Recipe,
    parts: &Parts,
    rows: &[Labelled],
    config: &TrainingConfig,
    tokenizer: Option<&serde_json::Value>,
    (pretrained, device): (Option<&Path>, &str),
) -> Result<String> {
    let mut hasher = Sha256::new();
    let mut shaping = config.clone();
    // Where files lie changes nothing; what is in them is hashed.
    for path in [&mut shaping.pretrained, &mut shaping.wordpiece, &mut shaping.bpe] {
        path.clear();
    }
    let shaping = serde_json::to_string(&shaping).context("cannot write a recipe")?;
    hasher.update(format!("1\n{recipe}\n{}\n{device}\n{shaping}\n", parts.task));
    hasher.update(super::splits::hash(rows, &[], &[]));
    hasher.update(tokenizer.map(ToString::to_string).unwrap_or_default());
    if let Some(dir) = pretrained {
        hasher.update(hash_of(dir)?);
    }
    Ok(hex(&hasher.finalize()))
}

/// SHA-256 of the files that make a model: config, weights, tokenizer.
fn hash_of(dir: &Path) -> Result<String> {
    let entries = std::fs::read_dir(dir).with_context(|| doing("read", dir))?;
    let counts = |name: &str| {
        name == "config.json" || name == "tokenizer.json" || name.ends_with(".safetensors")
    };
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| counts(name))
        .collect();
    names.sort_unstable();
    let mut hasher = Sha256::new();
    for name in names {
        let path = dir.join(&name);
        let bytes = std::fs::read(&path).with_context(|| doing("read", &path))?;
        hasher.update(format!("{name}\n{}\n", bytes.len()));
        hasher.update(bytes);
    }
    Ok(hex(&hasher.finalize()))
}

impl Ready {
    /// A trigger as text.
    pub(super) fn text_of(&self, ids: &[u32]) -> Result<String> {
        Ok(self.tokenizer.decode(ids)?.trim().to_owned())
    }

    /// A text as tokens of this model, no special ones among them.
    pub(super) fn ids_of(&self, text: &str) -> Result<Vec<u32>> {
        let options = EncodeOptions { special_tokens: false, ..EncodeOptions::default() };
        Ok(self.tokenizer.encode(text, &options)?.ids)
    }
}
