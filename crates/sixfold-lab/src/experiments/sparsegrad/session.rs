//! One training as a part of a run that can be resumed.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use burn::tensor::Tensor;
use sixfold_model::train::{self, TrainerConfig};
use sixfold_sparsegrad::AdaptedModel;

use super::prepare::Prepared;
use super::trainers::Training;
use super::watch::{Watch, file_of};
use crate::context::Context;
use crate::error::doing;
use crate::record::Labels;

/// Steps after which the state is kept, should nobody stop the training in an orderly way.
const KEEP_EVERY: u64 = 100;

/// A trained model, and loss and milliseconds of every step.
pub(super) struct Trained<A> {
    pub(super) model: A,
    pub(super) steps: Vec<[f64; 2]>,
}

/// Where the state of a training is kept.
pub(super) fn folder(key: &str, cx: &Context) -> PathBuf {
    let slug = key.replace(|c: char| !(c.is_ascii_alphanumeric() || c == '-'), "_");
    cx.checkpoints().join(slug)
}

/// Removes it, once what follows from it is in a cell.
pub(super) fn forget(dir: &Path) -> Result<()> {
    if dir.is_dir() {
        std::fs::remove_dir_all(dir).with_context(|| doing("remove", dir))?;
    }
    let file = file_of(dir);
    if file.is_file() {
        std::fs::remove_file(&file).with_context(|| doing("remove", &file))?;
    }
    Ok(())
}

/// Trains a prepared model on examples `0..n`, or goes on where an earlier run stopped.
///
/// # Errors
/// Those of the loss; a signal: the state is kept, and a later run goes on from it.
pub(super) fn run<A: AdaptedModel>(
    prepared: Prepared<A>,
    n: usize,
    config: &TrainerConfig,
    dir: &Path,
    place: &Labels,
    cx: &Context,
    mut loss: impl FnMut(&A, &[usize]) -> sixfold_model::Result<Tensor<1>>,
) -> Result<Trained<A>> {
    let mut training = Training::new(prepared, n, config)?.with_checkpoints(dir, KEEP_EVERY);
    training.resume().with_context(|| format!("cannot go on from {}", dir.display()))?;
    let mut watch = Watch::new(dir, KEEP_EVERY, training.step(), place, cx)?;
    let outcome = training.run(&mut loss, &mut watch);
    let steps = watch.end()?;
    if outcome? == train::Outcome::Interrupted {
        cx.check_interrupt()?;
    }
    Ok(Trained { model: training.into_model(), steps })
}
