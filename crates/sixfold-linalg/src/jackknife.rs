//! Standard errors by leaving out one group at a time.

use crate::{Error, Result, student_t_quantile};

/// An estimate with its uncertainty.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Jackknife {
    /// The estimate θ from all groups.
    pub value: f64,
    /// Standard error √((g − 1)/g · Σ (θ₍ᵢ₎ − θ̄)²).
    pub std_error: f64,
    /// Estimated bias (g − 1)·(θ̄ − θ); `value` is not corrected for it.
    pub bias: f64,
    /// 95 % interval θ ± t·std_error with g − 1 degrees of freedom.
    pub ci95: [f64; 2],
    /// Number of groups g.
    pub groups: usize,
}

/// Delete-one-group jackknife of any estimate.
///
/// `estimate(None)` uses all data, `estimate(Some(i))` leaves out group i. Groups should be of
/// similar size and independent of each other: documents, not tokens. With
/// [`Moments`](crate::Moments) one accumulator a group makes each estimate a merge of states.
///
/// # Errors
/// `TooFewRows` for fewer than two groups, `NotFinite` for an estimate that is NaN or infinite
/// (row = 1 + the group left out, 0 for all data), and the errors of `estimate`.
///
/// # Complexity
/// g + 1 estimates.
///
/// # References
/// Efron and Tibshirani 1993, *An Introduction to the Bootstrap*, §11.2 and §11.5.
///
/// ```
/// use sixfold_linalg::jackknife;
/// let groups = [[1.0, 2.0], [4.0, 6.0], [5.0, 9.0]];
/// let mean = |left_out: Option<usize>| {
///     let kept = groups.iter().enumerate().filter(|(i, _)| Some(*i) != left_out);
///     let values: Vec<f64> = kept.flat_map(|(_, group)| *group).collect();
///     Ok(values.iter().sum::<f64>() / values.len() as f64)
/// };
/// let found = jackknife(3, mean)?;
/// assert_eq!(found.value, 4.5);
/// assert!(found.bias.abs() < 1e-12);
/// assert!((found.std_error - (31.0_f64 / 12.0).sqrt()).abs() < 1e-12);
/// # Ok::<(), sixfold_linalg::Error>(())
/// ```
pub fn jackknife(
    groups: usize,
    estimate: impl FnMut(Option<usize>) -> Result<f64>,
) -> Result<Jackknife> {
    try_jackknife(groups, estimate)
}

/// [`jackknife`] for estimates that fail with an error of their own.
///
/// # Errors
/// Those of [`jackknife`].
pub fn try_jackknife<E: From<Error>>(
    groups: usize,
    mut estimate: impl FnMut(Option<usize>) -> Result<f64, E>,
) -> Result<Jackknife, E> {
    if groups < 2 {
        return Err(Error::TooFewRows { found: groups as u64, needed: 2 }.into());
    }
    let mut finite = |left_out: Option<usize>| {
        let value = estimate(left_out)?;
        let row = left_out.map_or(0, |i| i + 1);
        if value.is_finite() {
            Ok(value)
        } else {
            Err(E::from(Error::NotFinite { what: "estimate", row, col: 0 }))
        }
    };
    let value = finite(None)?;
    let partial = (0..groups).map(|i| finite(Some(i))).collect::<Result<Vec<f64>, E>>()?;
    let g = groups as f64;
    let mean = partial.iter().sum::<f64>() / g;
    let squares = partial.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>();
    let std_error = ((g - 1.0) / g * squares).sqrt();
    let reach = student_t_quantile(0.975, g - 1.0)? * std_error;
    Ok(Jackknife {
        value,
        std_error,
        bias: (g - 1.0) * (mean - value),
        ci95: [value - reach, value + reach],
        groups,
    })
}
