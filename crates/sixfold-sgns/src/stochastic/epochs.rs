//! The way through the text, epoch by epoch and piece by piece.

use std::ops::ControlFlow;

use pulp::Arch;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::piece::Piece;
use super::update::Tables;
use super::{Sgd, SgdConfig};
use crate::counting::Layout;
use crate::{Error, Result};

/// Places of a text between two settings of the step length.
const PIECE: usize = 1 << 14;

/// How far training has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SgdStep {
    /// The epoch, from 0.
    pub epoch: usize,
    /// Occurrences of known words that were read, in all epochs.
    pub tokens: u64,
    /// How many there will have been in the end.
    pub tokens_total: u64,
    /// The step length.
    pub learning_rate: f64,
}

/// A piece of work.
pub(super) struct Task<'a> {
    laid: &'a [u32],
    start: usize,
    /// Names it among all draws.
    stream: u64,
    step: SgdStep,
}

impl Sgd {
    /// Goes through the text; `run` does some pieces and says whether all is well. Whether the end
    /// was reached.
    pub(super) fn epochs(
        &self,
        mut progress: impl FnMut(SgdStep) -> ControlFlow<()>,
        mut run: impl FnMut(&[Task<'_>]) -> bool,
    ) -> Result<bool> {
        let SgdConfig { epochs, threads, .. } = self.config;
        let tokens_total = self.tokens * epochs as u64;
        let (mut before, mut stream) = (0, 0);
        for epoch in 0..epochs {
            let layout =
                Layout::new(self.words, self.keep.as_deref(), &self.config.pairs_of(epoch));
            for first in (0..self.store.len()).step_by(threads) {
                let blocks = first..(first + threads).min(self.store.len());
                let blocks = blocks.map(|at| self.store.read(at)).collect::<Result<Vec<_>>>()?;
                let of_blocks: Vec<u64> =
                    blocks.iter().map(|block| known(&block.ids, self.words)).collect();
                let laid = layout.lay(blocks, None);
                let mut tasks = Vec::new();
                for (laid, of_block) in laid.iter().zip(of_blocks) {
                    for start in (0..laid.len()).step_by(PIECE) {
                        let here = u128::from(of_block) * start as u128 / laid.len() as u128;
                        let tokens = before + here as u64;
                        let learning_rate = self.rate(tokens as f64 / tokens_total as f64);
                        let step = SgdStep { epoch, tokens, tokens_total, learning_rate };
                        tasks.push(Task { laid, start, stream, step });
                        stream += 1;
                    }
                    before += of_block;
                }
                let at_once = if threads == 1 { 1 } else { tasks.len().max(1) };
                for tasks in tasks.chunks(at_once) {
                    let Some(Task { step, .. }) = tasks.last() else { continue };
                    if !run(tasks) {
                        return Err(diverged(epoch, step.learning_rate));
                    }
                    if progress(*step).is_break() {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }

    pub(super) fn run<T: Tables>(&self, task: &Task<'_>, tables: &mut T) -> bool {
        let range = task.start..(task.start + PIECE).min(task.laid.len());
        let random = self.random(task.stream);
        let rate = task.step.learning_rate as f32;
        let (draws, laid) = (&self.draws, task.laid);
        Arch::new().dispatch(Piece { tables, draws, laid, range, random, rate })
    }

    /// The step length when this share of the words was read.
    fn rate(&self, share: f64) -> f64 {
        let SgdConfig { learning_rate, min_learning_rate, .. } = self.config;
        learning_rate - (learning_rate - min_learning_rate) * share
    }

    pub(super) fn random(&self, stream: u64) -> ChaCha8Rng {
        let mut random = ChaCha8Rng::seed_from_u64(self.config.seed);
        random.set_stream(stream);
        random
    }
}

pub(super) fn known(ids: &[u32], words: usize) -> u64 {
    ids.iter().filter(|id| (**id as usize) < words).count() as u64
}

pub(super) fn diverged(iteration: usize, step: f64) -> Error {
    let hint = "lower learning_rate";
    let what = "stochastic training";
    Error::Diverged { what, iteration, objective: f64::NAN, step, hint }
}

#[cfg(test)]
mod tests {
    use crate::corpus::CorpusConfig;
    use crate::counting::{Keep, Subsample, SubsampleMode};
    use crate::{Vocabulary, counting::CountConfig};

    use super::*;

    /// Each epoch draws anew, and keeps of a frequent word what sub-sampling says.
    #[test]
    fn frequent_words_are_kept_in_their_share() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("text.txt");
        std::fs::write(&path, "the a the b\n".repeat(5000)).unwrap();
        let words = Vocabulary::new([("the", 10_000), ("a", 5_000), ("b", 5_000)]).unwrap();
        let mode = SubsampleMode::Expected;
        let subsample = Some(Subsample { threshold: 0.08, keep: Keep::Paper, mode });
        let pairs = CountConfig { window: 1, subsample, ..CountConfig::default() };
        let config = SgdConfig { pairs, ..SgdConfig::word2vec() };
        let sgd = Sgd::new(&CorpusConfig::new([&path]), &words, &config).unwrap();
        let lay = |epoch: usize| {
            let layout = Layout::new(3, sgd.keep.as_deref(), &sgd.config.pairs_of(epoch));
            layout.lay(vec![sgd.store.read(0).unwrap()], None).remove(0)
        };
        let (first, second) = (lay(0), lay(1));
        assert_eq!((first.len(), &lay(0)), (second.len(), &first));
        assert_ne!(first, second);
        for (word, count, p) in [(0, 10_000.0, 0.4), (1, 5_000.0, 0.32_f64.sqrt())] {
            for laid in [&first, &second] {
                let kept = laid.iter().filter(|id| **id == word).count() as f64 / count;
                let error = (p * (1.0 - p) / count).sqrt();
                assert!((kept - p).abs() <= 4.0 * error, "{word}: {kept}, expected {p} ± {error}");
            }
        }
    }

    #[test]
    fn the_step_length_falls_to_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("text.txt");
        std::fs::write(&path, "x y z\n".repeat(30_000)).unwrap();
        let words = Vocabulary::new([("x", 30_000), ("y", 30_000)]).unwrap();
        let pairs = CountConfig { subsample: None, ..CountConfig::default() };
        let config = SgdConfig { dim: 4, epochs: 2, pairs, ..SgdConfig::word2vec() };
        let sgd = Sgd::new(&CorpusConfig::new([&path]), &words, &config).unwrap();
        let mut steps = Vec::new();
        let keep = |step| {
            steps.push(step);
            ControlFlow::Continue(())
        };
        assert!(sgd.train(keep).unwrap().finished);
        assert!(steps.iter().all(|step| step.tokens_total == 120_000));
        assert!(steps.is_sorted_by(|a, b| a.tokens < b.tokens && a.epoch <= b.epoch));
        for step in steps {
            let expected = 0.025 - (0.025 - 1e-4) * step.tokens as f64 / 120_000.0;
            assert!((step.learning_rate - expected).abs() < 1e-12, "{step:?}");
        }
        let stopped = sgd.train(|_| ControlFlow::Break(())).unwrap();
        assert!(!stopped.finished && stopped.contexts.iter().any(|value| *value != 0.0));
    }
}
