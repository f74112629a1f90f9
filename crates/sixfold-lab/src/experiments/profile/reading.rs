//! From a text to batches that a model reads.

use std::path::Path;

use anyhow::{Result, ensure};
use sixfold_model::stats::{Duplicates, TokenClass, classify};
use sixfold_model::{Batch, Checkpoint, EncodeOptions, PaddingSide, Tokenizer, buckets};

use super::TextConfig;
use crate::data::Documents;

/// Longest window of a document; longer contexts teach the profiles nothing and cost memory.
const MAX_WINDOW: usize = 512;
/// Positions of a batch, padding included.
const BATCH_POSITIONS: usize = 4096;

/// A text as a model reads it.
pub(super) struct Reading {
    /// Batches of windows of similar length, and the document of each row.
    pub(super) batches: Vec<(Batch, Vec<usize>)>,
    pub(super) n_documents: usize,
    pub(super) n_tokens: usize,
}

impl Reading {
    /// Reads whole documents until `max_tokens` tokens are there, and cuts them into windows of
    /// the model's context.
    pub(super) fn new(
        dir: &Path,
        checkpoint: &Checkpoint,
        text: &Path,
        config: &TextConfig,
    ) -> Result<Self> {
        let tokenizer = Tokenizer::from_dir(dir)?;
        let context = checkpoint.spec().max_positions.unwrap_or(MAX_WINDOW).min(MAX_WINDOW);
        let options = EncodeOptions::default();
        let (mut windows, mut owners) = (Vec::new(), Vec::new());
        let (mut n_documents, mut n_tokens) = (0, 0);
        for document in Documents::open(text, config.column.as_ref())? {
            if n_tokens >= config.max_tokens {
                break;
            }
            let mut ids = tokenizer.encode(&document?, &options)?.ids;
            ids.truncate(config.max_tokens - n_tokens);
            if ids.is_empty() {
                continue;
            }
            n_tokens += ids.len();
            for window in ids.chunks(context) {
                windows.push(window.to_vec());
                owners.push(n_documents);
            }
            n_documents += 1;
        }
        ensure!(n_tokens > 0, "{}: no token in any document", text.display());
        let lengths: Vec<usize> = windows.iter().map(Vec::len).collect();
        let pad_id = checkpoint.pad_token().unwrap_or(0);
        let batches = buckets(&lengths, BATCH_POSITIONS).into_iter().map(|rows| {
            let ids: Vec<Vec<u32>> = rows.iter().map(|&row| windows[row].clone()).collect();
            let documents = rows.iter().map(|&row| owners[row]).collect();
            (Batch::pad(&ids, pad_id, PaddingSide::Right), documents)
        });
        Ok(Self { batches: batches.collect(), n_documents, n_tokens })
    }

    /// The class of every token, batch by batch.
    pub(super) fn classes(&self, causal: bool, outliers: &[bool]) -> Vec<Vec<TokenClass>> {
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
