//! Trainings with either optimiser.

use std::path::Path;

use sixfold_model::Observer;
use sixfold_model::train::{Objective, Outcome, ParamGroups, Trainer, TrainerConfig};
use sixfold_sparsegrad::{AdaptedModel, SparseAdam};

use super::prepare::Prepared;

/// A training of a prepared model.
pub(super) enum Training<A: AdaptedModel> {
    Dense(Trainer<A>),
    Sparse(Trainer<A, SparseAdam>),
}

/// The same for both.
macro_rules! either {
    ($training:expr, $trainer:ident => $value:expr) => {
        match $training {
            Training::Dense($trainer) => $value,
            Training::Sparse($trainer) => $value,
        }
    };
}

impl<A: AdaptedModel> Training<A> {
    /// A training on examples `0..n`.
    pub(super) fn new(
        prepared: Prepared<A>,
        n: usize,
        config: &TrainerConfig,
    ) -> sixfold_model::Result<Self> {
        let groups = ParamGroups::default();
        Ok(match prepared {
            Prepared::Dense(model) => Self::Dense(Trainer::new(model, n, config, &groups)?),
            Prepared::Sparse(tuned) => Self::Sparse(tuned.trainer(n, config, &groups)?),
        })
    }

    pub(super) fn with_checkpoints(self, dir: &Path, every: u64) -> Self {
        match self {
            Self::Dense(trainer) => Self::Dense(trainer.with_checkpoints(dir, every)),
            Self::Sparse(trainer) => Self::Sparse(trainer.with_checkpoints(dir, every)),
        }
    }

    pub(super) fn resume(&mut self) -> sixfold_model::Result<bool> {
        either!(self, trainer => trainer.resume())
    }

    pub(super) fn step(&self) -> u64 {
        either!(self, trainer => trainer.state().step)
    }

    pub(super) fn run(
        &mut self,
        objective: &mut impl Objective<A>,
        observer: &mut dyn Observer,
    ) -> sixfold_model::Result<Outcome> {
        either!(self, trainer => trainer.run(objective, observer))
    }

    pub(super) fn into_model(self) -> A {
        either!(self, trainer => trainer.into_model())
    }
}
