//! Percentile intervals by drawing examples again.

use rand::RngExt;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::streams::{BOOTSTRAP, generator};
use crate::{Error, Result};

/// How intervals are drawn.
///
/// ```
/// use sixfold_triggers::BootstrapConfig;
/// let wrong = BootstrapConfig { resamples: 0, level: 95.0, ..Default::default() };
/// let said = wrong.validate().unwrap_err().to_string();
/// assert!(said.contains("resamples is 0") && said.contains("level is 95"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct BootstrapConfig {
    /// Resamples; 2000 by default.
    pub resamples: usize,
    /// Share of resamples within the interval; 0.95 by default.
    pub level: f64,
    /// Seed. Resample r draws from a stream of its own.
    pub seed: u64,
}

impl Default for BootstrapConfig {
    fn default() -> Self {
        Self { resamples: 2000, level: 0.95, seed: 0 }
    }
}

impl BootstrapConfig {
    /// Checks all values.
    ///
    /// # Errors
    /// [`Error::Config`] with all that are outside their ranges.
    pub fn validate(&self) -> Result<()> {
        let mut problems = Vec::new();
        if self.resamples == 0 {
            problems.push("resamples is 0, expected at least 1".to_owned());
        }
        if !(self.level > 0.0 && self.level < 1.0) {
            problems.push(format!("level is {}, expected above 0 and below 1", self.level));
        }
        if problems.is_empty() { Ok(()) } else { Err(Error::Config { problems }) }
    }
}

/// An estimate between the ends of its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Interval {
    /// The estimate from all examples.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// Percentile bootstrap of any statistic of groups of examples.
///
/// `statistic` is given, for each group, indices of its examples: all of them in order for the
/// estimate, then as many drawn with replacement, each group from itself alone. The interval
/// ends at the quantiles (1 − level)/2 and (1 + level)/2 of the resamples, linearly
/// interpolated.
///
/// # Errors
/// [`Error::Empty`] for a group without examples or no group, [`Error::NotFinite`] for a
/// statistic that is NaN or infinite (index 0 is the estimate, r the r-th resample),
/// [`Error::Config`].
///
/// # Complexity
/// `resamples` + 1 statistics, on all threads; the result does not depend on their number.
///
/// # References
/// Efron and Tibshirani 1993, *An Introduction to the Bootstrap*, §13.3.
pub fn bootstrap(
    groups: &[usize],
    config: &BootstrapConfig,
    statistic: impl Fn(&[Vec<usize>]) -> f64 + Sync,
) -> Result<Interval> {
    config.validate()?;
    if groups.is_empty() || groups.contains(&0) {
        return Err(Error::Empty { what: "examples to draw from" });
    }
    let all: Vec<Vec<usize>> = groups.iter().map(|&n| (0..n).collect()).collect();
    let value = statistic(&all);
    let resample = |r: usize| {
        let mut rng = generator(config.seed, BOOTSTRAP + r as u64);
        let drawn: Vec<Vec<usize>> =
            groups.iter().map(|&n| (0..n).map(|_| rng.random_range(0..n)).collect()).collect();
        statistic(&drawn)
    };
    let mut drawn: Vec<f64> = (0..config.resamples).into_par_iter().map(resample).collect();
    let finite = |x: &f64| x.is_finite();
    if let Some(index) = std::iter::once(&value).chain(&drawn).position(|x| !finite(x)) {
        return Err(Error::NotFinite { what: "a bootstrapped statistic", index });
    }
    drawn.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - config.level) / 2.0;
    Ok(Interval { value, low: quantile(&drawn, tail), high: quantile(&drawn, 1.0 - tail) })
}

/// The mean of values with its interval by examples; the fooling rate for values of 0 and 1.
///
/// # Errors
/// Those of [`bootstrap`].
///
/// ```
/// use sixfold_triggers::{BootstrapConfig, mean_interval};
/// let rate = mean_interval(&[1.0, 0.0, 0.0, 1.0], &BootstrapConfig::default())?;
/// assert_eq!((rate.value, rate.low, rate.high), (0.5, 0.0, 1.0));
/// # Ok::<(), sixfold_triggers::Error>(())
/// ```
pub fn mean_interval(values: &[f64], config: &BootstrapConfig) -> Result<Interval> {
    bootstrap(&[values.len()], config, |drawn| {
        drawn[0].iter().map(|&i| values[i]).sum::<f64>() / drawn[0].len() as f64
    })
}

/// Fooling rate of one trigger minus that of another on the same examples, which are drawn in
/// pairs: what both find hard does not widen the interval.
///
/// # Errors
/// Those of [`bootstrap`], [`Error::Mismatch`] for different numbers of examples.
pub fn paired_difference(
    fooled: &[bool],
    by_other: &[bool],
    config: &BootstrapConfig,
) -> Result<Interval> {
    if fooled.len() != by_other.len() {
        return Err(Error::Mismatch {
            what: "the outcomes of the other trigger",
            expected: format!("{} values", fooled.len()),
            found: by_other.len().to_string(),
        });
    }
    let difference = |(&a, &b): (&bool, &bool)| f64::from(a) - f64::from(b);
    let differences: Vec<f64> = fooled.iter().zip(by_other).map(difference).collect();
    mean_interval(&differences, config)
}

/// The quantile of sorted values, linearly between neighbours (type 7 of Hyndman and Fan).
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (place - below as f64) * (sorted[above] - sorted[below])
}
