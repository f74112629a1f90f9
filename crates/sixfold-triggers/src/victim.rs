//! A classifier as the search sees it.

use std::ops::AddAssign;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::{Result, Sequence};

/// A classifier under audit.
pub trait Victim {
    /// Classes.
    fn n_classes(&self) -> usize;

    /// Entries of the token table.
    fn vocab_size(&self) -> usize;

    /// The longest sequence it reads, special tokens included; `None` where nothing limits it.
    fn max_tokens(&self) -> Option<usize>;

    /// Scores (logits) of the classes, one row a sequence, in their order. Batching by length is
    /// the victim's business: the result must not depend on what else is in the call by more
    /// than rounding.
    ///
    /// # Shapes
    /// n sequences → `[n, n_classes]`
    ///
    /// # Errors
    /// What its model refuses.
    fn scores(&self, sequences: &[Sequence]) -> Result<Array2<f32>>;
}

/// Work in example-forwards: one example through the whole model once.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Forwards(pub f64);

impl AddAssign for Forwards {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}
