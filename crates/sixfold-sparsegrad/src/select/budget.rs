//! How many entries are kept.

use serde::{Deserialize, Serialize};

/// How many entries of a matrix are trained.
///
/// ```
/// use sixfold_sparsegrad::select::Budget;
/// // The 28 000 of the paper are 1.187 %.
/// assert_eq!(Budget::default().entries([768, 3072]), 28_312);
/// assert_eq!(Budget::Entries(28_000).entries([768, 3072]), 28_000);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Budget {
    /// A share of the d_in·d_out entries of the matrix itself, however small its core is.
    Fraction(f64),
    /// So many.
    #[serde(rename = "k")]
    Entries(usize),
}

impl Default for Budget {
    /// 1.2 %.
    fn default() -> Self {
        Self::Fraction(0.012)
    }
}

impl Budget {
    /// k: round(fraction·d_in·d_out), at least 1.
    ///
    /// # Shapes
    /// `weights` is the shape of the matrix, `[d_in, d_out]`, and not that of its core.
    pub fn entries(self, weights: [usize; 2]) -> usize {
        match self {
            Self::Fraction(fraction) => {
                ((fraction * weights[0] as f64 * weights[1] as f64).round() as usize).max(1)
            }
            Self::Entries(k) => k,
        }
    }

    /// What is wrong with it.
    pub(super) fn problem(self) -> Option<String> {
        match self {
            Self::Fraction(fraction) if !(fraction > 0.0 && fraction <= 1.0) => {
                Some(format!("fraction is {fraction}, expected above 0 and at most 1"))
            }
            Self::Entries(0) => Some("k is 0, expected at least 1".to_owned()),
            _ => None,
        }
    }
}
