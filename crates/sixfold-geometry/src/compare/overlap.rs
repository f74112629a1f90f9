//! Share of common neighbours.

use sixfold_linalg::Jackknife;

use super::mean;
use crate::{Error, Neighbours, Result};

/// The share of the `k` nearest neighbours that two tables of the same points have in common.
///
/// χ = 1/n Σᵢ |Nₐ(i) ∩ N_b(i)| / k, where N(i) are the first k neighbours of point i. It is 1 for
/// the same neighbours in any order, and k/(n − 1) on average for independent ones.
///
/// The standard error and the 95 % interval leave out one of 32 groups of consecutive points at a
/// time.
///
/// # Errors
/// [`Error::ShapeMismatch`] for tables of different points, [`Error::InvalidParameter`] for k = 0,
/// [`Error::TooFewNeighbours`] where a table has fewer than k.
///
/// # Complexity
/// O(n·k·log k).
///
/// # References
/// Doimo et al. 2020, *Hierarchical nucleation in deep neural networks*.
///
/// ```
/// use ndarray::array;
/// use sixfold_geometry::{compare::neighbourhood_overlap, neighbours};
/// let a = neighbours(array![[0.0], [1.0], [3.0], [7.0]].view(), 2)?;
/// let b = neighbours(array![[0.0], [1.0], [3.0], [-7.0]].view(), 2)?;
/// assert_eq!(neighbourhood_overlap(&a, &a, 2)?.value, 1.0);
/// assert_eq!(neighbourhood_overlap(&a, &b, 2)?.value, 7.0 / 8.0);
/// # Ok::<(), sixfold_geometry::Error>(())
/// ```
#[doc(alias = "neighborhood_overlap")]
pub fn neighbourhood_overlap(a: &Neighbours, b: &Neighbours, k: usize) -> Result<Jackknife> {
    if k == 0 {
        return Err(Error::InvalidParameter { name: "k", found: 0.0, expected: "at least 1" });
    }
    if a.n() != b.n() {
        let (expected, found) = ([a.n(), a.k()], [b.n(), b.k()]);
        return Err(Error::ShapeMismatch { what: "the second table", expected, found });
    }
    a.at_rank(k, "neighbourhood overlap")?;
    b.at_rank(k, "neighbourhood overlap")?;
    let mut first = Vec::with_capacity(k);
    let (of_a, of_b) = (a.indices(), b.indices());
    let shares: Vec<f64> = of_a
        .rows()
        .into_iter()
        .zip(of_b.rows())
        .map(|(of_a, of_b)| {
            first.clear();
            first.extend(of_a.iter().take(k).copied());
            first.sort_unstable();
            let common = of_b.iter().take(k).filter(|j| first.binary_search(j).is_ok());
            common.count() as f64 / k as f64
        })
        .collect();
    mean(&shares)
}
