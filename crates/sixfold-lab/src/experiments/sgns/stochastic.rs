//! Stochastic gradients: their keys, and a training that shows how far it is.

use std::ops::ControlFlow;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use sixfold_sgns::Error;
use sixfold_sgns::counting::{Subsample, SubsampleMode};
use sixfold_sgns::stochastic::{Sgd, SgdConfig};

use super::clock::Stopwatch;
use super::counting::{Counting, Text};
use super::fit::Fitted;
use crate::config::Problem;
use crate::context::Context;
use crate::progress::Task;

/// How stochastic gradients are taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SgdRef {
    /// Passes over the text.
    pub epochs: usize,
    /// The step length at the start; it falls in a line.
    pub learning_rate: f64,
    /// Threads; only one gives the same vectors every time.
    pub threads: usize,
}

impl Default for SgdRef {
    fn default() -> Self {
        let SgdConfig { epochs, learning_rate, threads, .. } = SgdConfig::word2vec();
        Self { epochs, learning_rate, threads }
    }
}

impl SgdRef {
    /// With the sampling of word2vec: words that are dropped let others come nearer, negatives by
    /// counts of words.
    pub(super) fn word2vec(&self, counting: &Counting, dim: usize, seed: u64) -> SgdConfig {
        let mut pairs = counting.config();
        pairs.subsample = pairs
            .subsample
            .map(|subsample| Subsample { mode: SubsampleMode::Dirty { seed }, ..subsample });
        let SgdRef { epochs, learning_rate, threads } = *self;
        SgdConfig {
            dim,
            epochs,
            learning_rate,
            negatives: counting.negatives,
            smoothing: counting.smoothing,
            pairs,
            seed,
            threads,
            ..SgdConfig::word2vec()
        }
    }

    /// With the sampling of the objective, each of whose terms comes as often as it weighs.
    pub(super) fn matched(
        &self,
        counting: &Counting,
        dim: usize,
        seed: u64,
    ) -> Result<SgdConfig, Error> {
        let SgdRef { epochs, learning_rate, threads } = *self;
        let matched = SgdConfig::matched(&counting.config(), &counting.objective())?;
        Ok(SgdConfig { dim, epochs, learning_rate, seed, threads, ..matched })
    }

    /// What is wrong with it.
    pub(super) fn problems(&self, counting: &Counting) -> Vec<Problem> {
        match self.word2vec(counting, 1, 0).validate() {
            Err(Error::Hyperparameters { problems }) => {
                problems.into_iter().map(|problem| Problem::new("sgd", problem)).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Trains on the text, from the start; the seconds that it took, with reading it again.
///
/// # Errors
/// A signal: nothing is kept, and a later run begins anew.
pub(super) fn train(
    text: &Text,
    config: SgdConfig,
    what: &str,
    cx: &Context,
) -> Result<(Fitted, f64)> {
    let watch = Stopwatch::start();
    let sgd = Sgd::new(&text.corpus, &text.vocabulary, &config)?;
    let mut task: Option<Task> = None;
    let fit = sgd.train(|step| {
        let task =
            task.get_or_insert_with(|| cx.progress().task(what, step.tokens_total, "tokens"));
        task.say(&format!("epoch {} of {}", step.epoch + 1, config.epochs));
        task.advance(step.tokens.saturating_sub(task.done()));
        match cx.interrupt().signal() {
            Some(_) => ControlFlow::Break(()),
            None => ControlFlow::Continue(()),
        }
    })?;
    cx.check_interrupt()?;
    Ok((Fitted::Pair(fit.words, fit.contexts), watch.seconds()))
}
