//! Options of the optimiser.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How kept entries are trained.
///
/// For an entry that is touched at step t with gradient g, with [`Rule::Adam`]:
///
/// ```text
/// m ← m + (1 − β₁)·(g − m)        v ← v + (1 − β₂)·(g² − v)
/// per entry, n touches:  Δ = −lr·m/(1 − β₁ⁿ) / (√(v/(1 − β₂ⁿ)) + ε)
/// global, step t:        Δ = −lr·√(1 − β₂ᵗ)/(1 − β₁ᵗ)·m/(√v + ε)
/// ```
///
/// and with [`Rule::Momentum`] m ← β₁·m + g, Δ = −lr·m. Entries that are not touched do not move.
///
/// # References
/// Kingma and Ba 2015, *Adam*, algorithm 1; Loshchilov and Hutter 2019, *Decoupled weight decay*;
/// `torch.optim.SparseAdam`, which `global` and `keep` together equal, also in where ε stands.
///
/// ```
/// use sixfold_sparsegrad::SparseAdamConfig;
/// assert!(SparseAdamConfig::default().validate().is_ok());
/// let wrong = SparseAdamConfig { beta_1: 1.0, epsilon: 0.0, ..Default::default() };
/// assert!(wrong.validate().unwrap_err().to_string().contains("beta-1 is 1, expected"));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct SparseAdamConfig {
    /// Adam, or momentum.
    pub rule: Rule,
    /// β₁, the decay of the mean gradient, or the momentum; 0.9 by default.
    pub beta_1: f64,
    /// β₂, the decay of the mean square; 0.999 by default.
    pub beta_2: f64,
    /// ε; 1e-8 by default.
    pub epsilon: f64,
    /// λ of Δ −= lr·λ·s, where s is the entry's distance from the base model; 0 by default.
    pub weight_decay: f64,
    /// What moments are divided by.
    pub bias_correction: BiasCorrection,
    /// What becomes of the moments of entries that are not touched.
    pub stale: Stale,
    /// Entries of one matrix that are remembered; eight times the mask by default.
    pub cap: Option<usize>,
}

/// The rule of the step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Adam, with both moments.
    #[default]
    Adam,
    /// Gradient descent with momentum: one moment, without correction.
    Momentum,
}

/// How the start of the moments at 0 is made up for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BiasCorrection {
    /// By the step of the training. An entry that is first touched late moves by up to
    /// (1 − β₁)/√(1 − β₂) = 3.16 times the learning rate.
    Global,
    /// By the entry's own touches (with [`Stale::Decay`] the steps since the first): the first touch moves it
    /// by the learning rate.
    #[default]
    PerEntry,
}

/// What the moments of an entry do while it is not touched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stale {
    /// They stay.
    #[default]
    Keep,
    /// They decay as if the gradient had been 0: m by β₁ and v by β₂ at each step missed.
    Decay,
}

impl Default for SparseAdamConfig {
    /// Adam with the betas of the paper's program, corrected entry by entry.
    fn default() -> Self {
        Self {
            rule: Rule::Adam,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
            bias_correction: BiasCorrection::PerEntry,
            stale: Stale::Keep,
            cap: None,
        }
    }
}

impl SparseAdamConfig {
    /// What `torch.optim.SparseAdam` does, as the paper's program uses it.
    pub fn torch() -> Self {
        Self { bias_correction: BiasCorrection::Global, ..Self::default() }
    }

    /// Checks all values.
    ///
    /// # Errors
    /// [`Error::Config`] with all that are outside their ranges.
    pub fn validate(&self) -> Result<()> {
        let mut problems = Vec::new();
        let mut check = |name: &str, value: f64, fits: bool, expected: &str| {
            if !fits {
                problems.push(format!("{name} is {value}, expected {expected}"));
            }
        };
        for (name, beta) in [("beta-1", self.beta_1), ("beta-2", self.beta_2)] {
            check(name, beta, (0.0..1.0).contains(&beta), "at least 0 and below 1");
        }
        let (epsilon, decay) = (self.epsilon, self.weight_decay);
        check("epsilon", epsilon, epsilon > 0.0 && epsilon.is_finite(), "above 0");
        check("weight-decay", decay, decay >= 0.0 && decay.is_finite(), "at least 0");
        check("cap", 0.0, self.cap != Some(0), "at least 1");
        if problems.is_empty() { Ok(()) } else { Err(Error::Config { problems }) }
    }

    /// The most entries that are remembered of a matrix whose mask has `k`.
    pub fn cap_of(&self, k: usize) -> usize {
        self.cap.unwrap_or(8 * k)
    }

    /// Bytes of state for each entry of a table, with its index: 8 to 20.
    pub fn bytes_per_entry(&self) -> usize {
        let numbers = [true, true, self.squares(), self.counts(), self.ages()];
        4 * numbers.into_iter().filter(|kept| *kept).count()
    }

    /// Whether the mean square is kept.
    pub(super) fn squares(&self) -> bool {
        self.rule == Rule::Adam
    }

    /// Whether touches are counted, or the step before the first is kept.
    pub(super) fn counts(&self) -> bool {
        self.squares() && self.bias_correction == BiasCorrection::PerEntry
    }

    /// Whether the step of the last touch is kept.
    pub(super) fn ages(&self) -> bool {
        self.stale == Stale::Decay
    }
}
