//! Which tokens a method would try.

mod controls;
pub mod rank;

use ndarray::Array2;
use rand_chacha::ChaCha8Rng;

pub use controls::{GradRandomControl, RandomControl};

use crate::{Example, Forwards, Result};

/// Scores of all tokens at every place of a trigger, and what they cost.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenScores {
    /// Higher is tried first, `[length, vocab]`.
    pub values: Array2<f32>,
    /// What the scores cost.
    pub cost: Forwards,
}

/// What a scorer looks at.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// The examples of this update.
    pub examples: &'a [&'a Example],
    /// Where the trigger goes in each.
    pub seats: &'a [usize],
    /// The class of each without a trigger.
    pub clean: &'a [usize],
    /// The present trigger.
    pub trigger: &'a [u32],
    /// Which tokens may be tried, one flag a token.
    pub allowed: &'a [bool],
}

/// A method: it proposes, the search verifies.
pub trait Scorer {
    /// The name in reports: `luat`, `uat`, `random`, `gradient-random`.
    fn name(&self) -> &'static str;

    /// Its name and settings: a search goes on only with the same.
    fn describe(&self) -> String {
        self.name().to_owned()
    }

    /// What scores over so many examples cost at most, so that a search stops before its budget is exceeded.
    fn cost(&self, examples: usize) -> Forwards;

    /// Scores of all tokens for the next update. The generator belongs to this update alone.
    ///
    /// # Errors
    /// What its model refuses; scores that are not finite.
    fn score(&mut self, query: Query<'_>, rng: &mut ChaCha8Rng) -> Result<TokenScores>;
}
