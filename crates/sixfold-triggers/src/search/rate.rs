//! How much a trigger changes.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

/// What a trigger did to some examples.
///
/// Sums are whole numbers, so that neither their order nor a file changes them.
///
/// ```
/// use sixfold_triggers::Rate;
///
/// let mut rate = Rate::default();
/// rate.add(true, 1.5);
/// rate.add(false, 0.5);
/// assert_eq!((rate.share(), rate.mean_drop()), (0.5, 1.0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rate {
    /// Examples whose class it changed.
    pub fooled: u64,
    /// Of so many.
    pub examples: u64,
    /// By how much the log-probability of the clean class fell, summed, in 10⁻⁹ nats.
    pub drop: i64,
}

/// 10⁻⁹ nats in one.
const NATS: f64 = 1e9;

/// What one example counts at most, in nats: far beyond logits that mean something, far below what i64 sums.
const MOST: f64 = 1e5;

impl Rate {
    /// Adds an example: whether its class changed and how many nats its clean class lost.
    pub fn add(&mut self, fooled: bool, drop: f64) {
        self.fooled += u64::from(fooled);
        self.examples += 1;
        self.drop = self.drop.saturating_add((drop.clamp(-MOST, MOST) * NATS).round() as i64);
    }

    /// The rates of two disjoint sets together.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            fooled: self.fooled + other.fooled,
            examples: self.examples + other.examples,
            drop: self.drop.saturating_add(other.drop),
        }
    }

    /// The fooling rate: examples fooled, of all. 0 of none.
    #[doc(alias = "attack_success_rate")]
    pub fn share(&self) -> f64 {
        self.fooled as f64 / self.examples.max(1) as f64
    }

    /// By how many nats the log-probability of the clean class fell on average.
    pub fn mean_drop(&self) -> f64 {
        self.drop as f64 / NATS / self.examples.max(1) as f64
    }

    /// The order of triggers on the same examples: more fooled, then more lost.
    ///
    /// # Panics
    /// If the examples are not as many, in debug builds.
    pub fn order(&self, other: &Self) -> Ordering {
        debug_assert_eq!(self.examples, other.examples);
        (self.fooled, self.drop).cmp(&(other.fooled, other.drop))
    }
}
