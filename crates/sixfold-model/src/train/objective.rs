//! What a training minimises, and how it ends.

use burn::tensor::Tensor;

use crate::Result;

/// What is minimised: the loss of a model on a batch of examples, given by their indices.
///
/// A closure `|model: &M, examples: &[usize]| -> Result<Tensor<1>>` that gives the mean over its
/// examples is one.
pub trait Objective<M> {
    /// The mean loss of the examples, `[1]`.
    ///
    /// # Errors
    /// Whatever keeps the loss from being computed; the training stops without a step.
    fn loss(&mut self, model: &M, examples: &[usize]) -> Result<Tensor<1>>;

    /// What the mean was taken over: the examples, if nothing else is said. Where a loss is a
    /// mean over tokens, their number belongs here, so that micro-batches of different length
    /// count as one batch would.
    fn weight(&self, examples: &[usize]) -> f64 {
        examples.len() as f64
    }
}

impl<M, F: FnMut(&M, &[usize]) -> Result<Tensor<1>>> Objective<M> for F {
    fn loss(&mut self, model: &M, examples: &[usize]) -> Result<Tensor<1>> {
        self(model, examples)
    }
}

/// How a run of the loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "an interrupted training is not done"]
pub enum Outcome {
    /// All steps are taken.
    Finished,
    /// The observer asked to stop.
    Interrupted,
}
