//! Intervals over questions: what would come out for other questions of the same kind.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::rank::spearman;
use crate::{Error, Result};

/// What an interval of 95 % leaves out on either side.
const TAIL: f64 = 0.025;

/// A difference between two sets of vectors, with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// The first minus the second, on all questions.
    pub value: f64,
    /// Percentile 2.5 over the draws.
    pub low: f64,
    /// Percentile 97.5 over the draws.
    pub high: f64,
}

impl Difference {
    /// Whether the first is better beyond what the choice of questions explains.
    pub fn is_above(&self) -> bool {
        self.low > 0.0
    }

    /// Whether the first is worse beyond what the choice of questions explains.
    pub fn is_below(&self) -> bool {
        self.high < 0.0
    }
}

/// The difference of the Spearman correlations of two lists of scores with the same gold scores, by
/// the paired bootstrap: each draw takes the same pairs for both.
///
/// # Shapes
/// All three lists have one score a pair.
///
/// # Errors
/// [`Error::ShapeMismatch`]; [`Error::Hyperparameters`] for 0 draws; [`Error::InvalidParameter`] if a
/// list does not vary or has values that are not finite.
///
/// # Complexity
/// O(draws · n log n), in parallel; the same for any number of threads.
///
/// # References
/// Efron & Tibshirani 1993, chapter 13 (percentile intervals).
pub fn paired_difference(
    a: &[f64],
    b: &[f64],
    gold: &[f64],
    draws: usize,
    seed: u64,
) -> Result<Difference> {
    let n = gold.len();
    for (what, list) in [("the scores of the first", a), ("the scores of the second", b)] {
        if list.len() != n {
            let (expected, found) = ([n, 1], [list.len(), 1]);
            return Err(Error::ShapeMismatch { what, expected, found });
        }
    }
    if let Some(found) = [a, b, gold].into_iter().flatten().find(|score| !score.is_finite()) {
        let (name, expected) = ("a score", "a finite number");
        return Err(Error::InvalidParameter { name, found: *found, expected });
    }
    let value = spearman(a, gold) - spearman(b, gold);
    if value.is_nan() {
        let (name, expected) = ("the variance of a list of scores", "more than 0");
        return Err(Error::InvalidParameter { name, found: 0.0, expected });
    }
    let (low, high) = bootstrap_interval(n, draws, seed, |drawn| {
        let pick = |list: &[f64]| drawn.iter().map(|&i| list[i]).collect::<Vec<_>>();
        let gold = pick(gold);
        spearman(&pick(a), &gold) - spearman(&pick(b), &gold)
    })?;
    Ok(Difference { value, low, high })
}

/// The difference of the shares of correct answers of two models to the same questions, by the paired
/// bootstrap.
///
/// # Shapes
/// Both lists have one answer a question.
///
/// # Errors
/// [`Error::ShapeMismatch`]; [`Error::Empty`] without questions; [`Error::Hyperparameters`] for 0
/// draws.
///
/// # Complexity
/// O(draws · n), in parallel; the same for any number of threads.
pub fn paired_accuracy(a: &[bool], b: &[bool], draws: usize, seed: u64) -> Result<Difference> {
    let n = a.len();
    if b.len() != n {
        let (expected, found) = ([n, 1], [b.len(), 1]);
        return Err(Error::ShapeMismatch { what: "the answers of the second", expected, found });
    }
    if n == 0 {
        let reason = "no question was asked".to_owned();
        return Err(Error::Empty { what: "the list of answers", reason });
    }
    let gains: Vec<i8> = a.iter().zip(b).map(|(&a, &b)| i8::from(a) - i8::from(b)).collect();
    let mean = |sum: i64| sum as f64 / n as f64;
    let value = mean(gains.iter().map(|&gain| i64::from(gain)).sum());
    let (low, high) = bootstrap_interval(n, draws, seed, |drawn| {
        mean(drawn.iter().map(|&i| i64::from(gains[i])).sum())
    })?;
    Ok(Difference { value, low, high })
}

/// The 95 % percentile interval of a statistic over draws of `n` of `n` questions, with replacement. Draws in
/// which the statistic is NaN do not count.
///
/// # Errors
/// [`Error::Hyperparameters`] for 0 draws.
///
/// # Complexity
/// `draws` times that of the statistic, in parallel; the same for any number of threads.
///
/// # References
/// Efron & Tibshirani 1993, chapter 13.
pub fn bootstrap_interval(
    n: usize,
    draws: usize,
    seed: u64,
    statistic: impl Fn(&[usize]) -> f64 + Sync,
) -> Result<(f64, f64)> {
    if draws == 0 {
        return Err(Error::Hyperparameters { problems: vec!["draws is 0".into()] });
    }
    let mut values: Vec<f64> = (0..draws)
        .into_par_iter()
        .map(|draw| {
            // A stream for each draw, so that threads share nothing.
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(draw as u64);
            let drawn: Vec<usize> = (0..n).map(|_| rng.random_range(0..n)).collect();
            statistic(&drawn)
        })
        .filter(|value| !value.is_nan())
        .collect();
    values.sort_unstable_by(f64::total_cmp);
    Ok((percentile(&values, TAIL), percentile(&values, 1.0 - TAIL)))
}

/// Linear between the nearest two of sorted values; NaN of none.
fn percentile(values: &[f64], p: f64) -> f64 {
    let Some(last) = values.len().checked_sub(1) else { return f64::NAN };
    let at = p * last as f64;
    let (below, share) = (at.floor() as usize, at.fract());
    values[below] + share * (values[(below + 1).min(last)] - values[below])
}
