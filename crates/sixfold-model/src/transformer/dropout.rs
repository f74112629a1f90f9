//! Dropout while training, with masks from a stream of seeds.

use std::cell::Cell;

use burn::module::Module;
use burn::tensor::Tensor;

use crate::Seed;
use crate::ops::{DropoutMask, dropout};

/// Dropout that acts on devices with autodiff and nowhere else.
///
/// Masks come from the stream that [`seed_dropout`] sets, which a
/// [`Trainer`](crate::train::Trainer) does before each step.
#[derive(Module, Debug)]
pub struct Dropout {
    probability: f64,
}

thread_local! {
    static STATE: Cell<u64> = const { Cell::new(0) };
}

/// Sets the stream of dropout masks of the calling thread, where a forward pass takes its own
/// from in turn. A training that sets it before each step draws the same masks after a resume.
pub fn seed_dropout(seed: Seed) {
    STATE.set(seed.derive("dropout").value());
}

impl Dropout {
    /// Numbers are set to 0 with a probability below 1, and the others scaled up.
    pub fn new(probability: f64) -> Self {
        Self { probability }
    }

    /// The next mask, where one is asked for: on a device with autodiff.
    pub(crate) fn mask<const D: usize>(&self, x: &Tensor<D>) -> Option<DropoutMask> {
        (self.probability > 0.0 && x.device().is_autodiff()).then(|| {
            let state = STATE.get();
            STATE.set(state.wrapping_add(1));
            DropoutMask::new(self.probability, Seed::new(state).derive("mask").value())
        })
    }

    /// Drops some of the numbers, while training.
    ///
    /// # Shapes
    /// any → the same
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        match self.mask(&x) {
            Some(mask) => dropout(x, mask),
            None => x,
        }
    }
}
