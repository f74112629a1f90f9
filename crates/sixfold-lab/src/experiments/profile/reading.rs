//! From a text to batches that a model reads.

use std::path::Path;

use anyhow::{Result, ensure};
use rand::seq::SliceRandom;
use sixfold_model::stats::{Duplicates, TokenClass, classify};
use sixfold_model::{
    Batch, CausalLm, Checkpoint, EncodeOptions, PaddingSide, Seed, Tokenizer, TransformerSpec,
    buckets,
};

use super::TextConfig;
use crate::data::Documents;

/// Longest window of a document; longer contexts teach the profiles nothing and cost memory.
const MAX_WINDOW: usize = 512;
/// Positions of a batch, padding included.
const BATCH_POSITIONS: usize = 4096;

/// A text as a model reads it.
#[derive(Clone, Debug)]
pub(in crate::experiments) struct Reading {
    /// Batches of windows of similar length, and the document of each row.
    pub(in crate::experiments) batches: Vec<(Batch, Vec<usize>)>,
    /// Of each row of each batch, the number of its first token in reading order.
    pub(in crate::experiments) first: Vec<Vec<u64>>,
    pub(in crate::experiments) n_documents: usize,
    pub(in crate::experiments) n_tokens: usize,
    windows: Vec<Window>,
    pad_id: u32,
}

/// A piece of a document that fits into the model's context.
#[derive(Clone, Debug)]
struct Window {
    ids: Vec<u32>,
    document: usize,
    /// The tokens of the text itself; those before and after were added by the tokenizer.
    plain: std::ops::Range<usize>,
}

impl Reading {
    /// Reads whole documents until `max_tokens` tokens are there, and cuts them into windows of
    /// the model's context.
    pub(in crate::experiments) fn new(
        dir: &Path,
        checkpoint: &Checkpoint,
        text: &Path,
        config: &TextConfig,
    ) -> Result<Self> {
        let tokenizer = Tokenizer::from_dir(dir)?;
        let pad_id = checkpoint.pad_token().unwrap_or(0);
        let documents = Documents::open(text, config.column.as_ref())?;
        let context = context(checkpoint.spec());
        let reading = Self::of(documents, &tokenizer, context, pad_id, config.max_tokens)?;
        ensure!(reading.n_tokens > 0, "{}: no token in any document", text.display());
        Ok(reading)
    }

    /// As [`new`](Self::new), from documents that come from anywhere.
    pub(in crate::experiments) fn of(
        documents: impl Iterator<Item = Result<String>>,
        tokenizer: &Tokenizer,
        context: usize,
        pad_id: u32,
        max_tokens: usize,
    ) -> Result<Self> {
        let (with, without) = (
            EncodeOptions::default(),
            EncodeOptions { special_tokens: false, ..EncodeOptions::default() },
        );
        let mut windows = Vec::new();
        let (mut n_documents, mut n_tokens) = (0, 0);
        for document in documents {
            if n_tokens >= max_tokens {
                break;
            }
            let document = document?;
            let mut ids = tokenizer.encode(&document, &with)?.ids;
            let plain = plain(&ids, &tokenizer.encode(&document, &without)?.ids);
            ids.truncate(max_tokens - n_tokens);
            if ids.is_empty() {
                continue;
            }
            n_tokens += ids.len();
            for (number, window) in ids.chunks(context).enumerate() {
                let begin = number * context;
                let inside = |at: usize| at.clamp(begin, begin + window.len()) - begin;
                windows.push(Window {
                    ids: window.to_vec(),
                    document: n_documents,
                    plain: inside(plain.start)..inside(plain.end),
                });
            }
            n_documents += 1;
        }
        let lengths: Vec<usize> = windows.iter().map(|window| window.ids.len()).collect();
        let numbers: Vec<u64> = std::iter::once(0)
            .chain(lengths.iter().map(|length| *length as u64))
            .scan(0, |sum, length| {
                *sum += length;
                Some(*sum)
            })
            .collect();
        let first = buckets(&lengths, BATCH_POSITIONS)
            .into_iter()
            .map(|rows| rows.into_iter().map(|row| numbers[row]).collect())
            .collect();
        let batches = batches(&windows, pad_id);
        Ok(Self { batches, first, n_documents, n_tokens, windows, pad_id })
    }

    /// Batches as they are, with the document of each row.
    pub(in crate::experiments) fn of_batches(batches: Vec<(Batch, Vec<usize>)>) -> Self {
        let first = batches.iter().scan(0, |read, (batch, _)| {
            let tokens = batch
                .mask()
                .chunks(batch.len())
                .map(|row| row.iter().filter(|token| **token).count() as u64);
            let numbers: Vec<u64> = tokens
                .map(|tokens| {
                    *read += tokens;
                    *read - tokens
                })
                .collect();
            Some(numbers)
        });
        let first = first.collect();
        let documents = batches.iter().flat_map(|(_, rows)| rows).max();
        Self {
            first,
            n_documents: documents.map_or(0, |last| last + 1),
            n_tokens: batches.iter().map(|(batch, _)| batch.n_tokens()).sum(),
            batches,
            windows: Vec::new(),
            pad_id: 0,
        }
    }

    /// The same text with the tokens of each window in random order; what the tokenizer added at
    /// the ends stays in its place.
    pub(in crate::experiments) fn shuffled(&self, seed: Seed) -> Self {
        let mut random = seed.stream("shuffle");
        let mut shuffled = self.clone();
        for Window { ids, plain, .. } in &mut shuffled.windows {
            ids[plain.clone()].shuffle(&mut random);
        }
        shuffled.batches = batches(&shuffled.windows, self.pad_id);
        shuffled
    }

    /// Mean loss of a token that has one before it.
    pub(in crate::experiments) fn mean_loss(&self, model: &CausalLm) -> Result<f64> {
        let predicted = |batch: &Batch| batch.n_tokens().saturating_sub(batch.rows());
        let (mut sum, mut n) = (0.0, 0);
        for (batch, _) in self.batches.iter().filter(|(batch, _)| predicted(batch) > 0) {
            let loss = f64::from(model.loss(batch)?.into_scalar::<f32>());
            sum += loss * predicted(batch) as f64;
            n += predicted(batch);
        }
        Ok(sum / (n as f64).max(1.0))
    }

    /// The class of every token, batch by batch.
    pub(in crate::experiments) fn classes(
        &self,
        causal: bool,
        outliers: &[bool],
    ) -> Vec<Vec<TokenClass>> {
        let mut duplicates = Duplicates::new(causal);
        let mut outliers = outliers;
        let batches = self.batches.iter().map(|(batch, _)| {
            let (of_batch, rest) = outliers.split_at(outliers.len().min(batch.n_tokens()));
            outliers = rest;
            classify(batch, of_batch, &mut duplicates)
        });
        batches.collect()
    }
}

/// The longest window that a model reads here.
pub(in crate::experiments) fn context(spec: &TransformerSpec) -> usize {
    spec.max_positions.unwrap_or(MAX_WINDOW).min(MAX_WINDOW)
}

/// Where the tokens of the text lie between those that the tokenizer added.
fn plain(ids: &[u32], without: &[u32]) -> std::ops::Range<usize> {
    let added = ids.len().saturating_sub(without.len());
    let begin = (0..=added).find(|&at| ids[at..].starts_with(without));
    // Should the tokenizer have done something else, everything counts as text.
    begin.map_or(0..ids.len(), |begin| begin..begin + without.len())
}

fn batches(windows: &[Window], pad_id: u32) -> Vec<(Batch, Vec<usize>)> {
    let lengths: Vec<usize> = windows.iter().map(|window| window.ids.len()).collect();
    let batches = buckets(&lengths, BATCH_POSITIONS).into_iter().map(|rows| {
        let ids: Vec<Vec<u32>> = rows.iter().map(|&row| windows[row].ids.clone()).collect();
        let documents = rows.iter().map(|&row| windows[row].document).collect();
        (Batch::pad(&ids, pad_id, PaddingSide::Right), documents)
    });
    batches.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading() -> Reading {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/models/stories260k");
        let tokenizer = Tokenizer::from_dir(dir).unwrap();
        let texts = ["One day a cat sat on a mat and slept until the morning came.", "A dog ran."];
        let documents = texts.iter().map(|text| Ok((*text).to_owned()));
        Reading::of(documents, &tokenizer, 12, 0, 1000).unwrap()
    }

    #[test]
    fn shuffling_keeps_what_was_added_and_the_tokens_of_each_window() {
        let mut plain = reading();
        // As if the tokenizer had marked both ends of the first document.
        let end = plain.windows[0].ids.len() - 1;
        plain.windows[0].plain = 1..end;
        let shuffled = plain.shuffled(Seed::new(1));
        assert_eq!((plain.n_tokens, plain.n_documents), (shuffled.n_tokens, shuffled.n_documents));
        let mut moved = 0;
        for (before, after) in plain.windows.iter().zip(&shuffled.windows) {
            assert_eq!(before.ids[..before.plain.start], after.ids[..before.plain.start]);
            assert_eq!(before.ids[before.plain.end..], after.ids[before.plain.end..]);
            let sorted = |ids: &[u32]| {
                let mut ids = ids.to_vec();
                ids.sort_unstable();
                ids
            };
            assert_eq!(sorted(&before.ids), sorted(&after.ids));
            moved += usize::from(before.ids != after.ids);
        }
        assert!(plain.windows.len() > 2 && moved > 1, "{moved} of {}", plain.windows.len());
        let mut first: Vec<u64> = plain.first.concat();
        first.sort_unstable();
        let window = plain.windows[0].ids.len() as u64;
        assert_eq!((first[0], first[1], first.len()), (0, window, plain.windows.len()));
        assert_eq!(plain.shuffled(Seed::new(1)).windows[0].ids, shuffled.windows[0].ids);
        assert_ne!(plain.shuffled(Seed::new(2)).windows[0].ids, shuffled.windows[0].ids);
    }

    #[test]
    fn added_tokens_are_found_at_both_ends() {
        assert_eq!(plain(&[1, 5, 6, 2], &[5, 6]), 1..3);
        assert_eq!(plain(&[5, 6], &[5, 6]), 0..2);
        assert_eq!(plain(&[1, 2], &[]), 0..0);
        assert_eq!(plain(&[9, 9], &[5]), 0..2);
    }
}
