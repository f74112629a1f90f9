//! What watches the steps of a training.

use std::ops::ControlFlow;

use anyhow::Result;
use sixfold_model::{Observer, Step};

use crate::context::{Context, ProgressObserver};
use crate::record::Labels;

/// Logs loss and learning rate of every step, shows the progress, and stops at a signal, or at a
/// step of the caller's choice.
pub(super) struct Steps<'a> {
    until: Option<u64>,
    place: &'a Labels,
    inner: ProgressObserver,
    cx: &'a Context,
    failure: Option<anyhow::Error>,
}

impl<'a> Steps<'a> {
    /// `place` labels what is logged.
    pub(super) fn new(place: &'a Labels, cx: &'a Context) -> Self {
        Self { until: None, place, inner: cx.observer("steps"), cx, failure: None }
    }

    /// Stops once this many steps are taken.
    pub(super) fn until(self, step: u64) -> Self {
        Self { until: Some(step), ..self }
    }

    /// Fails if something could not be logged.
    pub(super) fn end(self) -> Result<()> {
        self.failure.map_or(Ok(()), Err)
    }
}

impl Observer for Steps<'_> {
    fn on_start(&mut self, what: &str, total: Option<usize>) {
        self.inner.on_start(what, total);
    }

    fn on_step(&mut self, step: &Step<'_>) -> ControlFlow<()> {
        let done = step.index as u64 + 1;
        for (name, value) in step.values.iter().filter(|(name, _)| matches!(*name, "loss" | "lr")) {
            let logged = self.cx.log(done, &format!("train_{name}"), self.place, *value);
            if let Err(failure) = logged {
                self.failure = Some(failure);
                return ControlFlow::Break(());
            }
        }
        match self.until {
            Some(until) if done >= until => ControlFlow::Break(()),
            _ => self.inner.on_step(step),
        }
    }

    fn on_end(&mut self, what: &str) {
        self.inner.on_end(what);
    }
}
