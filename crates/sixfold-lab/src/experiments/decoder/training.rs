//! A small decoder that is trained in the run and stops where it is to be measured.

use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Context as _, Result};
use burn::module::Module;
use burn::tensor::Tensor;
use sixfold_model::train::{ParamGroups, Trainer};
use sixfold_model::{Batch, CausalLm, LmHeadSpec, Observer, PaddingSide, Seed, Step};

use super::{Material, Recipe};
use crate::context::{Context, ProgressObserver};
use crate::record::Labels;

/// Steps after which the state is kept, should nobody stop the training in an orderly way.
const KEEP_EVERY: u64 = 500;

/// The training, standing at some step.
pub(in crate::experiments) struct Training<'a> {
    trainer: Trainer<CausalLm>,
    material: &'a Material,
}

impl<'a> Training<'a> {
    /// Goes on where an earlier run stopped, if that was not after step `upto`; else from the
    /// beginning. `dir` keeps the state.
    pub(in crate::experiments) fn begin(
        recipe: &Recipe,
        material: &'a Material,
        upto: u64,
        dir: &Path,
        cx: &Context,
    ) -> Result<Self> {
        let device = sixfold_model::device(cx.device_name())?.autodiff();
        let spec = recipe.spec(material.tokenizer.vocab_size());
        let config = recipe.trainer(cx.seed());
        let fresh = || -> Result<Trainer<CausalLm>> {
            let model = CausalLm::new(&spec, &LmHeadSpec::TIED, Seed::new(cx.seed()), &device);
            let n = material.train.len();
            let trainer = Trainer::new(model, n, &config, &ParamGroups::default())?;
            Ok(trainer.with_checkpoints(dir, KEEP_EVERY))
        };
        let mut trainer = fresh()?;
        trainer.resume().with_context(|| format!("cannot go on from {}", dir.display()))?;
        if trainer.state().step > upto {
            trainer = fresh()?;
        }
        Ok(Self { trainer, material })
    }

    /// Trains until `step` steps are taken.
    ///
    /// # Errors
    /// A signal: the state is kept, and a later run goes on from it.
    pub(in crate::experiments) fn advance(&mut self, step: u64, cx: &Context) -> Result<()> {
        self.advance_on(step, &Labels::default(), cx, CausalLm::loss)
    }

    /// As [`advance`](Self::advance), on a loss of the caller's own; `place` labels what is logged.
    pub(in crate::experiments) fn advance_on(
        &mut self,
        step: u64,
        place: &Labels,
        cx: &Context,
        mut loss_of: impl FnMut(&CausalLm, &Batch) -> sixfold_model::Result<Tensor<1>>,
    ) -> Result<()> {
        if self.trainer.state().step >= step {
            return Ok(());
        }
        let examples = &self.material.train;
        let mut loss = |model: &CausalLm, chosen: &[usize]| {
            let ids: Vec<Vec<u32>> = chosen.iter().map(|&i| examples[i].clone()).collect();
            loss_of(model, &Batch::pad(&ids, 0, PaddingSide::Right))
        };
        let mut until = Until { step, place, inner: cx.observer("steps"), cx, failure: None };
        let outcome = self.trainer.run(&mut loss, &mut until);
        if let Some(failure) = until.failure {
            return Err(failure);
        }
        let _ = outcome?;
        if self.trainer.state().step < step {
            cx.check_interrupt()?;
        }
        Ok(())
    }

    /// The model as it stands, without what a backward pass needs.
    pub(in crate::experiments) fn model(&self) -> CausalLm {
        self.trainer.model().clone().valid()
    }
}

/// Stops at a step, and at a signal; logs the loss of every step.
struct Until<'a> {
    step: u64,
    place: &'a Labels,
    inner: ProgressObserver,
    cx: &'a Context,
    failure: Option<anyhow::Error>,
}

impl Observer for Until<'_> {
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
        if done >= self.step { ControlFlow::Break(()) } else { self.inner.on_step(step) }
    }

    fn on_end(&mut self, what: &str) {
        self.inner.on_end(what);
    }
}
