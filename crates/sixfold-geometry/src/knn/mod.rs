//! Exact nearest neighbours of all points of a cloud.

mod table;

pub use table::Neighbours;

use ndarray::ArrayView2;
use sixfold_linalg::Real;

use crate::Result;

/// The `k` nearest neighbours of each row of `x`.
///
/// # Shapes
/// `x` is `[n, d]`, any strides.
///
/// # Errors
/// [`Error::TooFewPoints`](crate::Error::TooFewPoints) unless n > k, [`Error::NotFinite`](crate::Error::NotFinite).
pub fn neighbours<T: Real>(x: ArrayView2<'_, T>, k: usize) -> Result<Neighbours> {
    // Plain reference: every distance in f64.
    use ndarray::Array2;
    let n = x.nrows();
    if n <= k {
        return Err(crate::Error::TooFewPoints { what: "neighbours", found: n, needed: k + 1 });
    }
    let mut indices = Array2::zeros((n, k));
    let mut distances = Array2::zeros((n, k));
    for i in 0..n {
        let mut all: Vec<(f64, u32)> = (0..n)
            .filter(|&j| j != i)
            .map(|j| {
                let square: f64 = x
                    .row(i)
                    .iter()
                    .zip(x.row(j))
                    .map(|(a, b)| (a.widen() - b.widen()).powi(2))
                    .sum();
                (square, j as u32)
            })
            .collect();
        all.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        for (rank, (square, j)) in all.into_iter().take(k).enumerate() {
            indices[(i, rank)] = j;
            distances[(i, rank)] = square.sqrt();
        }
    }
    Ok(Neighbours::new(indices, distances))
}
