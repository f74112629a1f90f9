//! What turns gradients into a step.

use std::collections::BTreeMap;
use std::fmt::Debug;

use burn::module::Module;
use burn::tensor::TensorData;
use serde_json::Value;

use super::{AdamW, ClippedGradients, Gradients};
use crate::Result;

/// What turns gradients into a step of a [`Trainer`](super::Trainer).
///
/// Every optimiser has an [`AdamW`] for the parameters that it treats like all others. One that
/// treats some of them otherwise, such as the sparse one of `sixfold-sparsegrad`, gathers gradients
/// of its own, takes its part of a step, and names what it needs to go on after a resume.
pub trait Optimizer<M: Module>: Debug {
    /// AdamW over the parameters that are treated like all others.
    fn dense(&self) -> &AdamW;

    /// The same, to be resumed.
    fn dense_mut(&mut self) -> &mut AdamW;

    /// Called before the backward passes of a step, with their number.
    fn begin(&mut self, micro_batches: usize) {
        let _ = micro_batches;
    }

    /// Adds what was gathered beside the gradients of parameters, after all backward passes and
    /// before clipping.
    ///
    /// # Errors
    /// [`Error::NonFiniteGradient`](crate::Error::NonFiniteGradient); no step is taken then.
    fn gather(&mut self, gradients: Gradients) -> Result<Gradients> {
        Ok(gradients)
    }

    /// The model after one step with the learning rate `lr`.
    fn step(&mut self, model: M, gradients: ClippedGradients, lr: f64) -> M;

    /// What a resumed training must have been made with too.
    fn settings(&self) -> Value {
        Value::Null
    }

    /// What the next step needs besides parameters and the moments of [`dense`](Self::dense).
    fn extra(&self) -> BTreeMap<String, TensorData> {
        BTreeMap::new()
    }

    /// Takes back what [`extra`](Self::extra) gave.
    ///
    /// # Errors
    /// Values that are not those of this optimiser, in words.
    fn restore(&mut self, extra: BTreeMap<String, TensorData>) -> Result<(), String> {
        match extra.into_keys().next() {
            None => Ok(()),
            Some(name) => Err(format!("`{name}` is nothing that the optimiser knows")),
        }
    }
}

impl<M: Module> Optimizer<M> for AdamW {
    fn dense(&self) -> &AdamW {
        self
    }

    fn dense_mut(&mut self) -> &mut AdamW {
        self
    }

    fn step(&mut self, model: M, gradients: ClippedGradients, lr: f64) -> M {
        Self::step(self, model, gradients, lr)
    }
}
