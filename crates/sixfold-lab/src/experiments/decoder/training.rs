//! A small decoder that is trained in the run and stops where it is to be measured.

use std::path::Path;

use anyhow::{Context as _, Result};
use burn::module::Module;
use burn::tensor::Tensor;
use sixfold_model::train::{ParamGroups, Trainer};
use sixfold_model::{Batch, CausalLm, LmHeadSpec, PaddingSide, Seed};

use super::super::steps::Steps;
use super::{Material, Recipe};
use crate::context::Context;
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
        let mut steps = Steps::new(place, cx).until(step);
        let outcome = self.trainer.run(&mut loss, &mut steps);
        steps.end()?;
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
