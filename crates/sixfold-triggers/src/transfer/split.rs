//! Examples that select and examples that score.

use rand::RngExt;

use crate::streams::{SPLIT, generator};
use crate::{Error, Result};

/// Two sets of examples without a common one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    selecting: Vec<usize>,
    scored: Vec<usize>,
}

impl Split {
    /// Draws k of n examples to select with; the others score. The same numbers give the same
    /// split.
    ///
    /// # Errors
    /// [`Error::Config`] where k is 0 or leaves nothing to score.
    ///
    /// ```
    /// use sixfold_triggers::Split;
    /// let split = Split::draw(1000, 256, 0)?;
    /// assert_eq!((split.selecting().len(), split.scored().len()), (256, 744));
    /// assert!(split.scored().iter().all(|i| !split.selecting().contains(i)));
    /// # Ok::<(), sixfold_triggers::Error>(())
    /// ```
    pub fn draw(n: usize, k: usize, seed: u64) -> Result<Self> {
        if k == 0 || k >= n {
            let problem = format!("{k} of {n} examples select, expected at least 1 and fewer");
            return Err(Error::Config { problems: vec![problem] });
        }
        let mut rng = generator(seed, SPLIT);
        let mut order: Vec<usize> = (0..n).collect();
        for i in 0..k {
            order.swap(i, rng.random_range(i..n));
        }
        let mut scored = order.split_off(k);
        order.sort_unstable();
        scored.sort_unstable();
        Ok(Self { selecting: order, scored })
    }

    /// Examples that select, ascending.
    pub fn selecting(&self) -> &[usize] {
        &self.selecting
    }

    /// Examples that score, ascending.
    pub fn scored(&self) -> &[usize] {
        &self.scored
    }
}
