//! Options of stochastic training.

use crate::counting::{CountConfig, Subsample, SubsampleMode};
use crate::{Error, ObjectiveConfig, Result};

/// How word vectors are trained by stochastic gradients.
///
/// ```
/// use sixfold_sgns::stochastic::SgdConfig;
/// let config = SgdConfig { dim: 200, ..SgdConfig::word2vec() };
/// assert!(config.validate().is_ok());
/// ```
#[derive(Clone, Debug)]
pub struct SgdConfig {
    /// d, the length of a vector.
    pub dim: usize,
    /// Passes over the text.
    pub epochs: usize,
    /// Step length at the start.
    pub learning_rate: f64,
    /// Step length at the end; it falls linearly with the words that were read.
    pub min_learning_rate: f64,
    /// k, negative samples for each positive pair.
    pub negatives: usize,
    /// Exponent of the counts in the distribution of negatives.
    pub smoothing: f64,
    /// Of which counts.
    pub noise: Noise,
    /// Whether a negative sample that is the context itself counts as any other. The objective has
    /// such terms; word2vec passes over them.
    pub collisions: bool,
    /// Which pairs are positive. `dynamic` windows are drawn, and so are words that sub-sampling
    /// drops: with [`SubsampleMode::Expected`] as with [`SubsampleMode::Clean`]. Draws are
    /// different in each epoch, and go by [`Self::seed`] instead of the mode's.
    pub pairs: CountConfig,
    /// Seed of all draws.
    pub seed: u64,
    /// 1 gives the same vectors every time. More threads work on the same vectors at once without
    /// waiting for each other (Hogwild), so that vectors differ from run to run.
    pub threads: usize,
}

/// What negative samples are drawn by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noise {
    /// Occurrences of words, as in word2vec.
    Words,
    /// #(c), the pairs that a context is in, as in the objective. They are counted first, which
    /// reads the text once more.
    Contexts,
}

impl Default for SgdConfig {
    /// [`Self::word2vec`].
    fn default() -> Self {
        Self::word2vec()
    }
}

impl SgdConfig {
    /// The defaults of gensim: windows drawn from 1 to 5, sub-sampling at 1e-3 before windows are
    /// laid, five negatives by count^0.75, five epochs from 0.025 to 0.0001.
    pub fn word2vec() -> Self {
        let mode = SubsampleMode::Dirty { seed: 0 };
        let subsample = Some(Subsample { mode, ..Subsample::new(1e-3) });
        Self {
            dim: 100,
            epochs: 5,
            learning_rate: 0.025,
            min_learning_rate: 1e-4,
            negatives: 5,
            smoothing: 0.75,
            noise: Noise::Words,
            collisions: false,
            pairs: CountConfig { subsample, ..CountConfig::default() },
            seed: 1,
            threads: 1,
        }
    }

    /// What optimises the [`Objective`](crate::Objective) of these counts: each of its terms comes
    /// as often as it weighs. Everything else is as in [`Self::word2vec`].
    ///
    /// # Errors
    /// Those of [`ObjectiveConfig::validate`]; [`Error::InvalidParameter`] where k is no whole
    /// number.
    pub fn matched(counts: &CountConfig, objective: &ObjectiveConfig) -> Result<Self> {
        objective.validate()?;
        let k = objective.negatives;
        if k.fract() != 0.0 || k > Self::MAX_NEGATIVES as f64 {
            let (name, expected) = ("negatives", "a whole number up to 1000: they are drawn");
            return Err(Error::InvalidParameter { name, found: k, expected });
        }
        Ok(Self {
            negatives: k as usize,
            smoothing: objective.smoothing,
            noise: Noise::Contexts,
            collisions: true,
            pairs: counts.clone(),
            ..Self::word2vec()
        })
    }

    /// More negative samples are a mistake.
    pub const MAX_NEGATIVES: usize = 1000;

    /// Checks all values.
    ///
    /// # Errors
    /// [`Error::Hyperparameters`] with all that are outside their ranges, and those of
    /// [`CountConfig::validate`].
    pub fn validate(&self) -> Result<()> {
        self.pairs.validate()?;
        let mut problems = Vec::new();
        for (name, value, most) in [
            ("dim", self.dim, 1 << 16),
            ("epochs", self.epochs, 1 << 16),
            ("negatives", self.negatives, Self::MAX_NEGATIVES),
            ("threads", self.threads, 1 << 12),
        ] {
            if !(1..=most).contains(&value) {
                problems.push(format!("{name} is {value}, expected 1 to {most}"));
            }
        }
        let (first, last) = (self.learning_rate, self.min_learning_rate);
        if !(first > 0.0 && first.is_finite()) {
            problems.push(format!("learning_rate is {first}, expected a number above 0"));
        }
        if !(0.0..=first).contains(&last) {
            problems.push(format!("min_learning_rate is {last}, expected 0 to learning_rate"));
        }
        if !(0.0..=1.0).contains(&self.smoothing) {
            problems.push(format!("smoothing is {}, expected 0 to 1", self.smoothing));
        }
        if problems.is_empty() { Ok(()) } else { Err(Error::Hyperparameters { problems }) }
    }

    /// Which pairs an epoch has.
    pub(super) fn pairs_of(&self, epoch: usize) -> CountConfig {
        let seed = self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(epoch as u64);
        let mut pairs = self.pairs.clone();
        if let Some(subsample) = &mut pairs.subsample {
            subsample.mode = match subsample.mode {
                SubsampleMode::Dirty { .. } => SubsampleMode::Dirty { seed },
                SubsampleMode::Clean { .. } | SubsampleMode::Expected => {
                    SubsampleMode::Clean { seed }
                }
            };
        }
        pairs
    }
}
