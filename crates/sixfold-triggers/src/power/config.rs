//! Options of the power method.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The p of a p-norm: a number above 1, or infinity.
///
/// In files it is a number or the word `infinity`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub enum Exponent {
    /// ‖v‖_p = (Σ |vᵢ|ᵖ)^(1/p).
    Finite(f64),
    /// ‖v‖_∞ = max |vᵢ|.
    Infinity,
}

/// How an exponent stands in files: JSON has no number for infinity.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Number(f64),
    Word(Word),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Word {
    Infinity,
}

impl From<Written> for Exponent {
    fn from(written: Written) -> Self {
        match written {
            Written::Number(f64::INFINITY) | Written::Word(Word::Infinity) => Self::Infinity,
            Written::Number(p) => Self::Finite(p),
        }
    }
}

impl From<Exponent> for Written {
    fn from(exponent: Exponent) -> Self {
        match exponent {
            Exponent::Finite(p) => Self::Number(p),
            Exponent::Infinity => Self::Word(Word::Infinity),
        }
    }
}

/// How a (p,q)-singular vector is sought.
///
/// ```
/// use sixfold_triggers::{Exponent, SingularConfig};
/// let config: SingularConfig = serde_json::from_str(r#"{ "p": "infinity", "q": 5 }"#)?;
/// assert_eq!(config, SingularConfig::default());
/// assert!(SingularConfig { p: Exponent::Finite(1.0), ..config }.validate().is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct SingularConfig {
    /// p, above 1; infinity by default.
    pub p: Exponent,
    /// q, at least 1; 5 by default.
    pub q: f64,
    /// Steps of a start at most; 30 by default.
    pub iterations: usize,
    /// Random starts, of which the best counts; 1 by default. Unless p = q = 2 there can be
    /// many fixed points.
    pub restarts: usize,
    /// For p = ∞: where the signs stay, this many of the least certain are turned one by one,
    /// and the climb goes on from what is higher; 4 by default, 0 for the paper's method. The
    /// best of all signs of up to 12 was found with 8 starts in 98 of 100 random matrices, in 85
    /// of 100 without.
    pub flips: usize,
    /// A start ends where a step raises the value by no more than this share; 1e-9 by default.
    pub tolerance: f64,
    /// The seed of the starts.
    pub seed: u64,
}

impl Default for SingularConfig {
    /// As in Khrulkov and Oseledets 2018, *Art of singular vectors and universal adversarial
    /// perturbations*, and its code: p = ∞, q = 5, 30 steps; but for `flips`, which is ours.
    fn default() -> Self {
        Self {
            p: Exponent::Infinity,
            q: 5.0,
            iterations: 30,
            restarts: 1,
            flips: 4,
            tolerance: 1e-9,
            seed: 0,
        }
    }
}

impl SingularConfig {
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
        if let Exponent::Finite(p) = self.p {
            check("p", p, p > 1.0 && p.is_finite(), "above 1");
        }
        check("q", self.q, self.q >= 1.0 && self.q.is_finite(), "at least 1 and finite");
        for (name, value) in [("iterations", self.iterations), ("restarts", self.restarts)] {
            check(name, value as f64, value > 0, "at least 1");
        }
        let tolerance = self.tolerance;
        check("tolerance", tolerance, (0.0..1.0).contains(&tolerance), "at least 0, below 1");
        if problems.is_empty() { Ok(()) } else { Err(Error::Config { problems }) }
    }
}
