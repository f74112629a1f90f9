//! Is the beginning of a text stranger than the rest of it?

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How [`LeadingWindow`] looks at a text.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct LeadingConfig {
    /// w, tokens of a window; 3 by default, the length of trigger that is expected.
    pub window: usize,
    /// Windows start at tokens 0, …, `reach`; 0 by default, for triggers at the front.
    pub reach: usize,
    /// β, how much of the mean surprisal of the rest is taken off; 0 by default. Before
    /// sentences of SST-2, random triggers of three frequent words gave mean areas under the
    /// curve of 0.956, 0.944 and 0.915 at 0, 0.5 and 1: the rest is short, and its mean noisy.
    pub rest: f64,
    /// κ, how many tokens of mean surprisal the rest of every text is given; 4 by default. It
    /// keeps texts hardly longer than the window from being judged by one or two tokens.
    pub prior: f64,
}

impl Default for LeadingConfig {
    fn default() -> Self {
        Self { window: 3, reach: 0, rest: 0.0, prior: 4.0 }
    }
}

impl LeadingConfig {
    /// Checks all values.
    ///
    /// # Errors
    /// [`Error::Config`] with all that are outside their ranges.
    pub fn validate(&self) -> Result<()> {
        let mut problems = Vec::new();
        if self.window == 0 {
            problems.push("window is 0, expected at least 1".to_owned());
        }
        if !(0.0..=1.0).contains(&self.rest) {
            problems.push(format!("rest is {}, expected 0 to 1", self.rest));
        }
        if !(self.prior > 0.0 && self.prior.is_finite()) {
            problems.push(format!("prior is {}, expected above 0 and finite", self.prior));
        }
        if problems.is_empty() { Ok(()) } else { Err(Error::Config { problems }) }
    }
}

/// Surprisal of the first tokens of a text, less a share of that of its rest.
///
/// ```text
/// score = max over a = 0, …, reach of  mean(s_a, …, s_a+w−1) − β·(Σ_rest s + κ·μ) / (|rest| + κ)
/// ```
///
/// s are the surprisals of the tokens, rest is all outside the window, and μ the mean surprisal
/// of clean texts. A trigger is a few tokens that do not follow from each other, which the
/// perplexity of the whole sentence dilutes. With β > 0, texts that are strange throughout count
/// as less suspicious. See [`prefix_ratio`](crate::prefix_ratio) for triggers of unknown length.
///
/// ```
/// use sixfold_triggers::{LeadingConfig, LeadingWindow};
/// let detector = LeadingWindow::fit(&[vec![3.0; 10], vec![4.0; 10]], LeadingConfig::default())?;
/// let attacked = [9.0, 9.0, 9.0, 3.0, 3.0, 3.0, 3.0];
/// let unusual = [5.0, 5.0, 3.0, 9.0, 9.0, 9.0, 6.0];
/// assert!(detector.score(&attacked)? > detector.score(&unusual)?);
/// # Ok::<(), sixfold_triggers::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeadingWindow {
    config: LeadingConfig,
    mean: f64,
}

impl LeadingWindow {
    /// A detector that knows the mean surprisal of clean texts, given as surprisals of tokens.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Empty`] where there is no token, [`Error::NotFinite`].
    pub fn fit(clean: &[Vec<f64>], config: LeadingConfig) -> Result<Self> {
        config.validate()?;
        let tokens = clean.iter().map(Vec::len).sum::<usize>();
        if tokens == 0 {
            return Err(Error::Empty { what: "clean tokens to learn a mean surprisal from" });
        }
        let mean = clean.iter().flatten().sum::<f64>() / tokens as f64;
        match mean.is_finite() {
            true => Ok(Self { config, mean }),
            false => {
                let index = clean.iter().flatten().position(|s| !s.is_finite()).unwrap_or(0);
                Err(Error::NotFinite { what: "a surprisal", index })
            }
        }
    }

    /// The score of a text of these surprisals. Where it is shorter than the window, all of it
    /// is the window.
    ///
    /// # Errors
    /// [`Error::Empty`] for no tokens.
    pub fn score(&self, surprisals: &[f64]) -> Result<f64> {
        let n = surprisals.len();
        if n == 0 {
            return Err(Error::Empty { what: "tokens in a text" });
        }
        let LeadingConfig { window, reach, rest: share, prior } = self.config;
        let window = window.min(n);
        let total = surprisals.iter().sum::<f64>();
        let excess = |start: usize| {
            let inside = surprisals[start..start + window].iter().sum::<f64>();
            let rest = (total - inside + prior * self.mean) / ((n - window) as f64 + prior);
            inside / window as f64 - share * rest
        };
        Ok((0..=reach.min(n - window)).map(excess).fold(f64::NEG_INFINITY, f64::max))
    }
}
