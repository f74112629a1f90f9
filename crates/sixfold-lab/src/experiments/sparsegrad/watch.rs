//! Losses and times of the steps of a training, kept beside its checkpoints.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use sixfold_model::{Observer, Step};

use crate::context::{Context, ProgressObserver};
use crate::record::Labels;

/// Keeps the loss and the wall time of every step, logs the loss, and stops at a signal.
///
/// The file is written whenever a checkpoint follows, before it: what a later run goes on from is in it.
pub(super) struct Watch<'a> {
    file: PathBuf,
    every: u64,
    total: Option<usize>,
    steps: Vec<[f64; 2]>,
    before: Instant,
    place: &'a Labels,
    inner: ProgressObserver,
    cx: &'a Context,
    failure: Option<anyhow::Error>,
}

impl<'a> Watch<'a> {
    /// For a training whose checkpoints of every so many steps lie in `dir`, and which stands at `step`.
    ///
    /// # Errors
    /// Steps that were taken and are not in the file.
    pub(super) fn new(
        dir: &Path,
        every: u64,
        step: u64,
        place: &'a Labels,
        cx: &'a Context,
    ) -> Result<Self> {
        let file = file_of(dir);
        let mut steps: Vec<[f64; 2]> = match std::fs::read(&file) {
            Ok(text) if step > 0 => serde_json::from_slice(&text)
                .with_context(|| format!("{} is broken", file.display()))?,
            _ => Vec::new(),
        };
        let (known, taken) = (steps.len(), step as usize);
        ensure!(known >= taken, "{}: {known} of {taken} steps", file.display());
        steps.truncate(taken);
        let inner = cx.observer("steps");
        let before = Instant::now();
        Ok(Self { file, every, total: None, steps, before, place, inner, cx, failure: None })
    }

    /// Loss and milliseconds of every step.
    ///
    /// # Errors
    /// What could not be written.
    pub(super) fn end(self) -> Result<Vec<[f64; 2]>> {
        self.failure.map_or(Ok(self.steps), Err)
    }

    fn keep(&mut self, step: &Step<'_>) -> Result<()> {
        let now = Instant::now();
        let ms = 1e3 * now.duration_since(self.before).as_secs_f64();
        self.before = now;
        let loss = step.values.iter().find(|(name, _)| *name == "loss");
        let loss = loss.map_or(f64::NAN, |(_, loss)| *loss);
        self.steps.push([loss, ms]);
        self.cx.log(self.steps.len() as u64, "train_loss", self.place, loss)
    }

    fn write(&self) -> Result<()> {
        if let Some(folder) = self.file.parent() {
            crate::create_dir(folder)?;
        }
        crate::atomic_write(&self.file, &serde_json::to_vec(&self.steps)?)
    }
}

/// Where the steps of a training are kept whose checkpoints lie in `dir`.
pub(super) fn file_of(dir: &Path) -> PathBuf {
    dir.with_extension("steps.json")
}

impl Observer for Watch<'_> {
    fn on_start(&mut self, what: &str, total: Option<usize>) {
        self.before = Instant::now();
        self.total = total;
        self.inner.on_start(what, total);
    }

    fn on_step(&mut self, step: &Step<'_>) -> ControlFlow<()> {
        let kept = self.keep(step);
        let flow = self.inner.on_step(step);
        let taken = self.steps.len();
        let last = self.total == Some(taken);
        let due = flow.is_break() || last || (taken as u64).is_multiple_of(self.every);
        let kept = kept.and_then(|()| if due { self.write() } else { Ok(()) });
        match kept {
            Ok(()) => flow,
            Err(failure) => {
                self.failure = Some(failure);
                ControlFlow::Break(())
            }
        }
    }

    fn on_end(&mut self, what: &str) {
        self.inner.on_end(what);
    }
}
