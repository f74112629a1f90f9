//! Settings of the layerwise scorer.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Settings of the layerwise scorer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct LuatConfig {
    /// The block whose output is perturbed, from 0. The published code's default is 0.
    pub layer: usize,
    /// The norm of the perturbation, at least 1: 2. Larger ones ask for a few rows that move far.
    pub q: f64,
    /// Which rows of the hidden state count.
    pub rows: Rows,
    /// The mixture of tokens that a step starts from.
    pub start: Start,
    /// Power steps of an update: 1. Each costs as much as the first.
    pub power_steps: usize,
    /// How the Jacobian is applied.
    pub derivative: Derivative,
}

/// Which rows of the hidden state count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rows {
    /// All that is not padding, the trigger's own included, as in the published code.
    #[default]
    All,
    /// All but the trigger's own, which always move.
    NonTrigger,
    /// The first, from which most encoders classify.
    First,
}

/// The mixture of tokens that a step starts from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// All allowed tokens alike: their mean.
    #[default]
    Constant,
    /// Drawn from the Dirichlet distribution with parameters 1.
    Random,
}

/// How the Jacobian of a layer is applied to a direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Derivative {
    /// Dual numbers: exact.
    #[default]
    Tangent,
    /// `(f(x + hv) − f(x))/h`. The step h is such that hv has this share of the mean length of a token vector:
    /// 0.01 in f32.
    Difference(f64),
    /// `(f(x + hv) − f(x − hv))/2h`: 0.03 to 0.1 where products run in TF32. Not for bf16.
    CentralDifference(f64),
}

impl Default for LuatConfig {
    fn default() -> Self {
        Self {
            layer: 0,
            q: 2.0,
            rows: Rows::All,
            start: Start::Constant,
            power_steps: 1,
            derivative: Derivative::Tangent,
        }
    }
}

impl LuatConfig {
    /// Whether the settings fit each other and a model of so many layers.
    ///
    /// # Errors
    /// [`Error::Config`] with all problems.
    pub fn validate(&self, n_layers: usize) -> Result<()> {
        let mut problems = Vec::new();
        if self.layer >= n_layers {
            problems.push(format!("layer is {}, expected below {n_layers}", self.layer));
        }
        if !(self.q.is_finite() && self.q >= 1.0) {
            problems.push(format!("q is {}, expected a number of at least 1", self.q));
        }
        if self.power_steps == 0 {
            problems.push("power-steps is 0, expected at least 1".to_owned());
        }
        if let Derivative::Difference(share) | Derivative::CentralDifference(share) =
            self.derivative
            && !(share.is_finite() && share > 0.0)
        {
            problems.push(format!("the step of differences is {share}, expected a number above 0"));
        }
        if problems.is_empty() { Ok(()) } else { Err(Error::Config { problems }) }
    }

    /// Forwards that one example costs in a model of so many layers, at most.
    pub(super) fn cost(&self, n_layers: usize) -> f64 {
        let passes = match self.derivative {
            Derivative::Tangent | Derivative::Difference(_) => 3.0,
            Derivative::CentralDifference(_) => 4.0,
        };
        let depth = (self.layer + 1) as f64 / n_layers as f64;
        passes * depth * self.power_steps as f64
    }
}
