//! The skip-gram negative-sampling objective of a matrix of counts.

use std::sync::OnceLock;

use crate::{Counts, Error, Result};

/// Hyper-parameters of the objective.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ObjectiveConfig {
    /// k, negative samples for each positive pair; 5 as in word2vec and in the paper's notebook.
    pub negatives: f64,
    /// Exponent of the context counts in the distribution of negatives: 1 as in the paper, 0.75 as in
    /// word2vec.
    pub smoothing: f64,
}

impl Default for ObjectiveConfig {
    fn default() -> Self {
        Self { negatives: 5.0, smoothing: 1.0 }
    }
}

impl ObjectiveConfig {
    /// Checks both values.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for the first problem.
    pub fn validate(&self) -> Result<()> {
        if !(self.negatives > 0.0 && self.negatives.is_finite()) {
            let (name, expected) = ("negatives", "a number above 0");
            return Err(Error::InvalidParameter { name, found: self.negatives, expected });
        }
        if !(0.0..=1.0).contains(&self.smoothing) {
            let (name, expected) = ("smoothing", "0 to 1");
            return Err(Error::InvalidParameter { name, found: self.smoothing, expected });
        }
        Ok(())
    }
}

/// F(X) = Σ_wc #(w,c)·log σ(x_wc) + k·#(w)·q(c)·log σ(−x_wc), to be maximised over matrices X of
/// rank d.
///
/// q is the distribution of negative samples, q(c) ∝ #(c)^smoothing. The expectation over negatives is
/// exact: nothing is drawn.
///
/// # References
/// Fonarev et al. 2017, equations 4 and 5; Levy and Goldberg 2014.
///
/// ```
/// use sixfold_sgns::{Counts, Objective, ObjectiveConfig};
/// let counts = Counts::from_rows(2, vec![0, 1, 3], vec![1, 0, 1], vec![4.0, 4.0, 2.0])?;
/// let objective = Objective::new(counts, &ObjectiveConfig::default())?;
/// assert!(objective.at_zero() < objective.bound());
/// # Ok::<(), sixfold_sgns::Error>(())
/// ```
#[derive(Clone, Debug)]
#[doc(alias = "SGNS")]
#[doc(alias = "word2vec")]
pub struct Objective {
    counts: Counts,
    negatives: f64,
    smoothing: f64,
    row_weights: Vec<f32>,
    column_weights: Vec<f32>,
    /// F*, once somebody has asked.
    bound: OnceLock<f64>,
}

impl Objective {
    /// The objective of these counts.
    ///
    /// # Errors
    /// Those of [`ObjectiveConfig::validate`], and [`Error::Empty`] where all counts are 0.
    pub fn new(counts: Counts, config: &ObjectiveConfig) -> Result<Self> {
        config.validate()?;
        let smoothed = |&sum: &f64| if sum > 0.0 { sum.powf(config.smoothing) } else { 0.0 };
        let column_weights: Vec<f64> = counts.column_sums().iter().map(smoothed).collect();
        let sum: f64 = column_weights.iter().sum();
        if sum <= 0.0 {
            let reason = "every count of a pair is 0".to_owned();
            return Err(Error::Empty { what: "the matrix of counts", reason });
        }
        let row_weights = counts.row_sums().iter().map(|n| (config.negatives * n) as f32).collect();
        let column_weights = column_weights.iter().map(|weight| (weight / sum) as f32).collect();
        let ObjectiveConfig { negatives, smoothing } = *config;
        let bound = OnceLock::new();
        Ok(Self { counts, negatives, smoothing, row_weights, column_weights, bound })
    }

    /// The counts.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Words and contexts.
    pub fn dim(&self) -> (usize, usize) {
        self.counts.dim()
    }

    /// k, negative samples for each positive pair.
    pub fn negatives(&self) -> f64 {
        self.negatives
    }

    /// b(w) = k·#(w), `[n]`: a pair's negative term has the weight b(w)·q(c).
    pub fn row_weights(&self) -> &[f32] {
        &self.row_weights
    }

    /// q(c), which sums to 1, `[m]`.
    pub fn column_weights(&self) -> &[f32] {
        &self.column_weights
    }

    /// F(0) = −(k + 1)·|D|·ln 2.
    pub fn at_zero(&self) -> f64 {
        -(self.negatives + 1.0) * self.counts.total() * std::f64::consts::LN_2
    }

    /// F*, the largest value at any rank: that of x = log(#(w,c) / (b(w)·q(c))), and −∞ where a pair
    /// was not seen.
    ///
    /// # Complexity
    /// Two logarithms a non-zero, the first time.
    pub fn bound(&self) -> f64 {
        *self.bound.get_or_init(|| self.sum_of_bounds())
    }

    fn sum_of_bounds(&self) -> f64 {
        let of_row = |i: usize| {
            let (columns, counts) = self.counts.row(i);
            let of_pair = |(&j, &a): (&u32, &f32)| {
                let (a, b) = (f64::from(a), self.negative_weight(i, j as usize));
                if a > 0.0 && b > 0.0 { -a * (b / a).ln_1p() - b * (a / b).ln_1p() } else { 0.0 }
            };
            columns.iter().zip(counts).map(of_pair).sum::<f64>()
        };
        (0..self.dim().0).map(of_row).sum()
    }

    /// The share of the way from F(0) to F* that `value` has come.
    pub fn gap_ratio(&self, value: f64) -> f64 {
        let zero = self.at_zero();
        (value - zero) / (self.bound() - zero)
    }

    /// Whether matrices of this rank exist.
    pub(crate) fn check_rank(&self, d: usize) -> Result<()> {
        let (n, m) = self.dim();
        if (1..=n.min(m)).contains(&d) {
            return Ok(());
        }
        let (name, expected) = ("the rank", "between 1 and the number of words");
        Err(Error::InvalidParameter { name, found: d as f64, expected })
    }

    /// Whether b(w)·q(c) = b(c)·q(w) for symmetric counts: only without smoothing.
    pub(crate) fn smoothing_is_symmetric(&self) -> bool {
        self.smoothing >= 1.0
    }

    /// b(w)·q(c).
    pub(crate) fn negative_weight(&self, i: usize, j: usize) -> f64 {
        f64::from(self.row_weights[i]) * f64::from(self.column_weights[j])
    }
}
