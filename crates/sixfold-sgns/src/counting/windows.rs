//! The text as it is windowed: known words at their places, and nothing else.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::config::{CountConfig, SubsampleMode, Unknown};
use crate::corpus::{END, Tokens};
use crate::{Error, Result, Vocabulary};

/// A word that is not in the vocabulary, in what comes from the corpus.
pub(crate) const UNKNOWN: u32 = u32::MAX - 1;

/// Lays out documents so that windows need no branch: whatever counts nothing, be it an unknown
/// word or the L places between documents, is the column behind the last.
#[derive(Debug)]
pub(crate) struct Layout {
    nothing: u32,
    window: usize,
    remove_unknown: bool,
    draws: Option<Draws>,
}

#[derive(Debug)]
struct Draws {
    /// A word is kept if 64 random bits are below; `None` always.
    below: Vec<Option<u64>>,
    seed: u64,
    remove: bool,
}

/// keep(w) for each word.
pub(crate) fn keep_probabilities(
    vocabulary: &Vocabulary,
    config: &CountConfig,
) -> Result<Option<Vec<f64>>> {
    let Some(subsample) = config.subsample else { return Ok(None) };
    let total: u64 = vocabulary.iter().map(|(_, count)| count).sum();
    if let Some(word) = vocabulary.iter().position(|(_, count)| count == 0) {
        return Err(Error::InvalidParameter {
            name: "count of the word of id",
            found: word as f64,
            expected: "how often each word comes, for sub-sampling",
        });
    }
    let keep = |(_, count)| subsample.probability(count as f64 / total as f64);
    Ok(Some(vocabulary.iter().map(keep).collect()))
}

impl Layout {
    pub(crate) fn new(n: usize, keep: Option<&[f64]>, config: &CountConfig) -> Self {
        let mode = config.subsample.map(|subsample| subsample.mode);
        let draws = match (mode, keep) {
            (Some(SubsampleMode::Clean { seed }), Some(keep)) => Some((keep, seed, false)),
            (Some(SubsampleMode::Dirty { seed }), Some(keep)) => Some((keep, seed, true)),
            _ => None,
        };
        // 2⁶⁴ · keep, and what rounds to 2⁶⁴ is always.
        let bits = |keep: &f64| (*keep < 1.0).then_some((keep * 2f64.powi(64)) as u64);
        let draws = draws.map(|(keep, seed, remove)| {
            let below = keep.iter().map(bits).collect();
            Draws { below, seed, remove }
        });
        Self {
            nothing: n as u32,
            window: config.window,
            remove_unknown: config.unknown == Unknown::Remove,
            draws,
        }
    }

    /// Lays out blocks on all threads.
    pub(crate) fn lay(&self, batch: Vec<Tokens>, translate: Option<&[u32]>) -> Vec<Vec<u32>> {
        batch.into_par_iter().map(|tokens| self.block(tokens, translate)).collect()
    }

    fn block(&self, tokens: Tokens, translate: Option<&[u32]>) -> Vec<u32> {
        let mut random = self.draws.as_ref().map(|draws| {
            // Each block has its own stream, so that draws do not depend on how the text is split.
            let mut random = ChaCha8Rng::seed_from_u64(draws.seed);
            random.set_stream(tokens.block);
            random
        });
        let mut laid = Vec::with_capacity(tokens.ids.len() + tokens.ids.len() / 8);
        for id in tokens.ids {
            if id == END {
                laid.extend(std::iter::repeat_n(self.nothing, self.window));
                continue;
            }
            let id = translate.map_or(id, |translate| translate[id as usize]);
            if id == UNKNOWN {
                if !self.remove_unknown {
                    laid.push(self.nothing);
                }
            } else if let (Some(draws), Some(random)) = (&self.draws, &mut random)
                && draws.below[id as usize].is_some_and(|below| random.next_u64() >= below)
            {
                if !draws.remove {
                    laid.push(self.nothing);
                }
            } else {
                laid.push(id);
            }
        }
        laid
    }
}
