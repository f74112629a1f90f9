//! A victim and the examples of a task, in its own tokens: where searches run and triggers are tried.

use anyhow::{Context as _, Result};
use ndarray::Array2;
use sixfold_triggers::filter::ClassCounts;
use sixfold_triggers::{
    Clean, EncodeConfig, Example, Field, Filtered, ModelVictim, Outcomes, Placement, Sequence,
    TokenFilter, Victim, encode, predictions, round_trip,
};

use super::keys::FilterKeys;
use super::splits::{AsText, Parts};
use super::victims::Ready;

/// Tokens at most in one call of a victim.
const POSITIONS: usize = 1 << 18;

/// A victim on a task.
pub(super) struct Ground {
    pub(super) ready: Ready,
    pub(super) search: Vec<Example>,
    pub(super) dev: Vec<Example>,
    pub(super) gold: Vec<usize>,
    /// Its answers to the slice of the search.
    pub(super) clean: Clean,
    /// Its scores of what reports.
    pub(super) scores: Array2<f32>,
    pub(super) filtered: Filtered,
    /// SHA-256 of the data.
    pub(super) data: String,
}

impl Ground {
    /// Encodes a task for a victim, asks it for its answers, and filters its vocabulary.
    ///
    /// # Errors
    /// A text that leaves no room for `room` tokens of a trigger in the model's context, a filter that leaves nothing.
    pub(super) fn new(
        ready: Ready,
        parts: &Parts,
        filter: &FilterKeys,
        room: usize,
    ) -> Result<Self> {
        let search = examples(&ready, &parts.search, room)?;
        let dev = examples(&ready, &parts.dev, room)?;
        let clean = Clean::of(&ready.victim, &search, POSITIONS)?;
        let scores = scores(&ready.victim, dev.iter().map(|one| one.clean().clone()))?;
        let filtered = filtered(&ready, &search, &clean, filter)?;
        let (gold, data) = (parts.gold(), parts.hash.clone());
        Ok(Self { ready, search, dev, gold, clean, scores, filtered, data })
    }

    /// Its name in sentences.
    pub(super) fn name(&self) -> &str {
        &self.ready.name
    }

    /// Share of the right answers without a trigger.
    pub(super) fn accuracy(&self) -> Result<f64> {
        let right = predictions(self.scores.view())?.into_iter().zip(&self.gold);
        Ok(right.filter(|(found, gold)| found == *gold).count() as f64 / self.gold.len() as f64)
    }

    /// What a trigger of this model's tokens does to what reports.
    ///
    /// # Errors
    /// What the victim refuses.
    pub(super) fn outcomes(&self, trigger: &[u32]) -> Result<Outcomes> {
        let attacked = attacked(&self.dev, trigger)?;
        let scores = scores(&self.ready.victim, attacked.into_iter())?;
        Ok(Outcomes::from_scores(self.scores.view(), scores.view(), Some(&self.gold))?)
    }

    /// The word that searches begin with, in every place: `the`, where the model has it.
    pub(super) fn first(&self) -> Vec<u32> {
        let word = self.ready.vocabulary.word("the");
        let allowed = self.filtered.reasons().iter().position(Option::is_none);
        word.or(allowed.map(|id| id as u32)).into_iter().collect()
    }
}

/// Texts in a victim's tokens, with room for a trigger.
pub(super) fn examples<T: AsText>(ready: &Ready, texts: &[T], room: usize) -> Result<Vec<Example>> {
    let limit = ready.victim.max_tokens();
    let config = EncodeConfig { limit, trigger: room, truncate: false };
    let texts: Vec<_> = texts.iter().map(AsText::as_text).collect();
    let found = encode(&ready.tokenizer, &texts, &config)
        .with_context(|| format!("texts for {}", ready.name))?;
    if ready.has_types {
        return Ok(found);
    }
    let plain = |one: Example| {
        let ids = one.clean().ids.clone();
        let sequence = Sequence { token_types: vec![0; ids.len()], ids };
        Ok(Example::new(sequence, one.fields().to_vec())?)
    };
    found.into_iter().map(plain).collect()
}

/// Examples with a trigger before their first text.
pub(super) fn attacked(examples: &[Example], trigger: &[u32]) -> Result<Vec<Sequence>> {
    let one = |example: &Example| {
        let seat = example.seat(Field::First, Placement::Front)?;
        Ok(example.with_trigger(trigger, seat))
    };
    examples.iter().map(one).collect()
}

/// The victim's scores, in calls of bounded size.
pub(super) fn scores(
    victim: &ModelVictim,
    sequences: impl Iterator<Item = Sequence>,
) -> Result<Array2<f32>> {
    let sequences: Vec<Sequence> = sequences.collect();
    Ok(victim.scores(&sequences)?)
}

/// Which tokens may be tried.
fn filtered(
    ready: &Ready,
    search: &[Example],
    clean: &Clean,
    keys: &FilterKeys,
) -> Result<Filtered> {
    let victim = &ready.victim;
    let counts = ClassCounts::of(search, &clean.classes, victim.n_classes(), victim.vocab_size())?;
    let config = keys.filter();
    let reproduces = round_trip(&ready.tokenizer);
    let filter = TokenFilter::new(&config, &ready.vocabulary)
        .with_counts(&counts)
        .with_round_trip(&reproduces);
    filter.apply().with_context(|| format!("tokens of {}", ready.name))
}
