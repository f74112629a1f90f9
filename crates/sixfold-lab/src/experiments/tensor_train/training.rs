//! A training with one of the tables, as a part of a run that can be resumed.

use std::time::Instant;

use anyhow::{Context as _, Result};
use burn::module::Module;
use burn::tensor::Tensor;
use sixfold_model::train::{Outcome, ParamGroups, Trainer, TrainerConfig};

use super::super::steps::Steps;
use super::tables::Choice;
use crate::context::Context;
use crate::record::Labels;

/// Steps after which the state is kept, should nobody stop the training in an orderly way.
const KEEP_EVERY: u64 = 200;

/// A trained model, without what a backward pass needs.
pub(super) struct Trained<M> {
    pub(super) model: M,
    /// Wall time of a step; none where an earlier run took all of them.
    pub(super) step_ms: Option<f64>,
}

/// Trains a model on examples `0..n`, or goes on where an earlier run stopped.
///
/// # Errors
/// Those of the loss; a signal: the state is kept, and a later run goes on from it.
pub(super) fn train<M: Module>(
    model: M,
    n: usize,
    config: &TrainerConfig,
    groups: &ParamGroups,
    choice: Choice,
    cx: &Context,
    mut loss: impl FnMut(&M, &[usize]) -> sixfold_model::Result<Tensor<1>>,
) -> Result<Trained<M>> {
    let dir = cx.checkpoints().join(choice.to_string());
    let mut place = Labels::default();
    place.set("embedding", choice.to_string());
    let mut trainer = Trainer::new(model, n, config, groups)?.with_checkpoints(&dir, KEEP_EVERY);
    trainer.resume().with_context(|| format!("cannot go on from {}", dir.display()))?;
    let before = trainer.state().step;
    let start = Instant::now();
    let mut steps = Steps::new(&place, cx);
    let outcome = trainer.run(&mut loss, &mut steps);
    let seconds = start.elapsed().as_secs_f64();
    steps.end()?;
    if outcome? == Outcome::Interrupted {
        cx.check_interrupt()?;
    }
    let taken = trainer.state().step - before;
    let step_ms = (taken > 0).then(|| 1e3 * seconds / taken as f64);
    Ok(Trained { model: trainer.into_model().valid(), step_ms })
}
