//! Which entries of a core are worth training.

mod budget;
mod radix;
mod selection;

pub use budget::Budget;
pub use selection::{Scores, Selection};

use crate::Result;

/// Indices of the `k` values of the largest magnitude, ascending.
///
/// Of equal magnitudes the lower index is taken, so that the result depends on nothing but the values.
/// The sign does not matter, nor do `k` = 0 (nothing is kept) or zeros among the values.
///
/// # Errors
/// [`Error::NotFinite`](crate::Error::NotFinite) with the first NaN or infinity,
/// [`Error::TooMany`](crate::Error::TooMany) for k above the number of values.
///
/// # Complexity
/// Four passes over the values, on all threads: three count digits of the magnitudes, one gathers.
/// Memory for the indices only.
///
/// ```
/// let kept = sixfold_sparsegrad::top_k(&[0.5, -3.0, 2.0, 3.0, 2.0], 3)?;
/// assert_eq!(kept, [1, 2, 3]);
/// # Ok::<(), sixfold_sparsegrad::Error>(())
/// ```
#[doc(alias = "radix_select")]
pub fn top_k(values: &[f32], k: usize) -> Result<Vec<u32>> {
    Ok(radix::largest(&[values], k)?.pop().unwrap_or_default())
}

/// The `k` values of the largest magnitude of several lists together: indices into each, ascending.
///
/// One threshold for all matrices of a model, so that those with larger gradients get more of the budget.
/// Of equal magnitudes those of the earlier list, then of the lower index are taken.
///
/// # Errors
/// Those of [`top_k`]; the path of a value that is not finite is the place of its list.
///
/// ```
/// let kept = sixfold_sparsegrad::top_k_global(&[&[1.0, 9.0], &[8.0, -7.0]], 3)?;
/// assert_eq!(kept, [vec![1], vec![0, 1]]);
/// # Ok::<(), sixfold_sparsegrad::Error>(())
/// ```
#[doc(alias = "global_budget")]
pub fn top_k_global(lists: &[&[f32]], k: usize) -> Result<Vec<Vec<u32>>> {
    radix::largest(lists, k)
}
