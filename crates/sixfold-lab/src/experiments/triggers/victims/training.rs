//! Training a classifier on sentences, in batches of similar length.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result};
use burn::module::Module;
use rand::seq::SliceRandom;
use sixfold_model::train::{Outcome, ParamGroups, Trainer, TrainerConfig};
use sixfold_model::{EncodeOptions, Encoding, Seed, SequenceClassifier, Tokenizer};

use crate::context::Context;
use crate::experiments::steps::Steps;
use crate::record::Labels;

/// Steps after which the state is kept, should nobody stop the training in an orderly way.
const KEEP_EVERY: u64 = 200;

/// Batches among which examples are sorted by length.
const WINDOW: usize = 32;

/// What is learned from.
pub(super) struct Lessons<'a> {
    pub(super) tokenizer: &'a Tokenizer,
    pub(super) encodings: Vec<Encoding>,
    pub(super) classes: Vec<i32>,
    pub(super) epochs: u64,
}

/// A trained model, its steps, and how long they took where nothing interrupted them.
pub(super) struct Trained {
    pub(super) model: SequenceClassifier,
    pub(super) steps: u64,
    pub(super) seconds: Option<f64>,
}

impl Lessons<'_> {
    /// Trains, or goes on from the state in `dir`.
    ///
    /// # Errors
    /// A signal: the state is kept, and a later run goes on from it.
    pub(super) fn train(
        &self,
        model: SequenceClassifier,
        config: &TrainerConfig,
        dir: &Path,
        place: &Labels,
        cx: &Context,
    ) -> Result<Trained> {
        let lengths: Vec<usize> = self.encodings.iter().map(|one| one.ids.len()).collect();
        let order = order(&lengths, config.batch_size, self.epochs, Seed::new(config.seed));
        let mut trainer = Trainer::new(model, order.len(), config, &ParamGroups::default())?
            .with_checkpoints(dir, KEEP_EVERY);
        let resumed =
            trainer.resume().with_context(|| format!("cannot go on from {}", dir.display()))?;
        let begun = Instant::now();
        let mut loss = |model: &SequenceClassifier, chosen: &[usize]| {
            let rows = || chosen.iter().map(|&at| order[at]);
            let encodings: Vec<Encoding> = rows().map(|row| self.encodings[row].clone()).collect();
            let classes: Vec<i32> = rows().map(|row| self.classes[row]).collect();
            model.loss(&self.tokenizer.pad(&encodings, &EncodeOptions::default()), &classes)
        };
        let mut steps = Steps::new(place, cx);
        let outcome = trainer.run(&mut loss, &mut steps);
        steps.end()?;
        if outcome? == Outcome::Interrupted {
            cx.check_interrupt()?;
        }
        let seconds = (!resumed).then(|| begun.elapsed().as_secs_f64());
        let steps = trainer.state().step;
        Ok(Trained { model: trainer.into_model().valid(), steps, seconds })
    }
}

/// All passes, one after the other: in each, examples in a random order, sorted by length among neighbours and cut into
/// batches, whose order is random again.
fn order(lengths: &[usize], batch: usize, epochs: u64, seed: Seed) -> Vec<usize> {
    let mut random = seed.stream("order");
    let mut all = Vec::with_capacity(lengths.len() * epochs as usize);
    for _ in 0..epochs {
        let mut examples: Vec<usize> = (0..lengths.len()).collect();
        examples.shuffle(&mut random);
        let windows = examples.chunks_mut(batch * WINDOW);
        let mut batches: Vec<Vec<usize>> = Vec::new();
        for window in windows {
            window.sort_by_key(|&example| lengths[example]);
            batches.extend(window.chunks(batch).map(<[usize]>::to_vec));
        }
        // A batch that is not full would shift all behind it.
        let last = batches.iter().position(|one| one.len() < batch).map(|at| batches.remove(at));
        batches.shuffle(&mut random);
        all.extend(batches.into_iter().chain(last).flatten());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pass_has_every_example_in_batches_of_similar_length() {
        let lengths: Vec<usize> = (0..130).map(|i| 1 + (i * 37) % 50).collect();
        let order = order(&lengths, 8, 2, Seed::new(0));
        assert_eq!(order.len(), 260);
        for pass in order.chunks(130) {
            let mut seen = pass.to_vec();
            seen.sort_unstable();
            assert_eq!(seen, (0..130).collect::<Vec<_>>());
            let spread = |batch: &[usize]| {
                let of = || batch.iter().map(|&i| lengths[i]);
                of().max().unwrap_or(0) - of().min().unwrap_or(0)
            };
            assert!(pass.chunks(8).take(16).all(|batch| spread(batch) <= 8));
        }
        assert_ne!(order[..130], order[130..]);
    }
}
