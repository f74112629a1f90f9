//! Information imbalance: how well distances of one view predict those of another.

use ndarray::ArrayView2;
use sixfold_linalg::{Jackknife, Real};

use super::mean;
use crate::{Error, Neighbours, Result, knn, neighbours};

/// Information imbalance of two views in both directions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Imbalance {
    /// Δ(A → B), near 0 where A predicts B.
    pub a_to_b: Jackknife,
    /// Δ(B → A), near 0 where B predicts A.
    pub b_to_a: Jackknife,
    /// Points that have a copy in A and in B: their nearest neighbour is that copy.
    pub duplicates: [usize; 2],
}

/// How well the nearest neighbours of each view predict those of the other.
///
/// Δ(A → B) = 2/n · ⟨r_B(i, nearest neighbour of i in A)⟩, where r_B(i, j) is the rank of j among
/// the neighbours of i in B, from 1. It is 2/n where A knows all about the neighbours in B, and 1
/// on average where it knows nothing. A view that has a part of the other's coordinates is
/// predicted by it, and does not predict it.
///
/// # Shapes
/// `x_a` is `[n, dₐ]` and `x_b` is `[n, d_b]`, any strides: row i of both is the same point.
///
/// # Errors
/// [`Error::ShapeMismatch`] for different n, [`Error::AllEqual`] for a view without any distance,
/// and those of [`neighbours`].
///
/// # Complexity
/// Two searches for neighbours and two passes for ranks, n²·(dₐ + d_b) operations each.
///
/// # References
/// Glielmo, Zeni, Cheng, Csányi, Laio 2022, *Ranking the information content of distance measures*.
///
/// ```
/// use ndarray::Array2;
/// use sixfold_geometry::compare::information_imbalance;
/// let x = Array2::from_shape_fn((90, 3), |(i, j)| ((i + 2) * (i + 5 * j + 1)) as f64 * 0.37 % 1.0);
/// let part = x.slice(ndarray::s![.., ..1]);
/// let found = information_imbalance(x.view(), part)?;
/// assert!(found.a_to_b.value < found.b_to_a.value);
/// # Ok::<(), sixfold_geometry::Error>(())
/// ```
pub fn information_imbalance<A: Real, B: Real>(
    x_a: ArrayView2<'_, A>,
    x_b: ArrayView2<'_, B>,
) -> Result<Imbalance> {
    same_points(x_a.nrows(), x_b)?;
    let (a, b) = (neighbours(x_a, 1)?, neighbours(x_b, 1)?);
    Ok(Imbalance {
        a_to_b: information_imbalance_to(&a, x_b)?,
        b_to_a: information_imbalance_to(&b, x_a)?,
        duplicates: [a.duplicates(), b.duplicates()],
    })
}

/// [`information_imbalance`] in one direction, Δ(A → B), for a view A whose table is at hand.
///
/// # Shapes
/// `x_b` is `[n, d_b]`, any strides: row i is the point i of the table.
///
/// # Errors
/// [`Error::ShapeMismatch`] for different n, [`Error::TooFewNeighbours`] for an empty table,
/// [`Error::AllEqual`] for `x_b` without any distance, [`Error::NotFinite`].
pub fn information_imbalance_to<B: Real>(
    a: &Neighbours,
    x_b: ArrayView2<'_, B>,
) -> Result<Jackknife> {
    let n = a.n();
    same_points(n, x_b)?;
    a.at_rank(1, "information imbalance")?;
    let nearest = a.indices().column(0).to_vec();
    let ranks = knn::ranks(x_b, &nearest)?;
    let first = x_b.row(0);
    if x_b.rows().into_iter().all(|row| row == first) {
        return Err(Error::AllEqual { what: "information imbalance", n });
    }
    let scaled: Vec<f64> = ranks.iter().map(|&rank| 2.0 * f64::from(rank) / n as f64).collect();
    mean(&scaled)
}

fn same_points<T>(n: usize, x: ArrayView2<'_, T>) -> Result<()> {
    if x.nrows() == n {
        return Ok(());
    }
    let (expected, found) = ([n, x.ncols()], [x.nrows(), x.ncols()]);
    Err(Error::ShapeMismatch { what: "the second view", expected, found })
}
