//! The table of neighbours that every estimator reads.

use ndarray::{Array2, ArrayView1, ArrayView2};

use crate::{Error, Result};

/// The k nearest neighbours of each of n points, the nearest first, the point itself left out.
///
/// Distances are Euclidean, in the units of the points, computed in f64 from the points as they
/// were given. Equal distances are ordered by index. A distance of 0 is a duplicate of the point:
/// it stays in the table, and [`duplicates`](Self::duplicates) counts the points that have one.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbours {
    indices: Array2<u32>,
    distances: Array2<f64>,
}

impl Neighbours {
    /// A table that was computed elsewhere.
    ///
    /// # Shapes
    /// Both are `[n, k]`.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`]; [`Error::NotFinite`] for a distance that is NaN or infinite;
    /// [`Error::InvalidParameter`] for rows that do not ascend, a negative distance, or an index
    /// that is no other point.
    pub fn from_parts(indices: Array2<u32>, distances: Array2<f64>) -> Result<Self> {
        let (n, k) = distances.dim();
        if indices.dim() != (n, k) {
            return Err(Error::ShapeMismatch {
                what: "indices",
                expected: [n, k],
                found: [indices.nrows(), indices.ncols()],
            });
        }
        for (row, (of_row, ids)) in distances.rows().into_iter().zip(indices.rows()).enumerate() {
            let mut last = 0.0;
            for (col, (&distance, &id)) in of_row.iter().zip(ids).enumerate() {
                if !distance.is_finite() {
                    return Err(Error::NotFinite { what: "distances", row, col });
                }
                if distance < last {
                    let expected = "≥ 0 and ascending along each row";
                    return Err(Error::InvalidParameter {
                        name: "distance",
                        found: distance,
                        expected,
                    });
                }
                if id as usize >= n || id as usize == row {
                    let expected = "the index of another point";
                    return Err(Error::InvalidParameter {
                        name: "index",
                        found: f64::from(id),
                        expected,
                    });
                }
                last = distance;
            }
        }
        Ok(Self { indices, distances })
    }

    /// A table whose rows are known to be right.
    pub(crate) fn new(indices: Array2<u32>, distances: Array2<f64>) -> Self {
        debug_assert_eq!(indices.dim(), distances.dim(), "one distance an index");
        Self { indices, distances }
    }

    /// Points n.
    pub fn n(&self) -> usize {
        self.distances.nrows()
    }

    /// Neighbours of each point k.
    pub fn k(&self) -> usize {
        self.distances.ncols()
    }

    /// Which points are near: `[n, k]`.
    pub fn indices(&self) -> ArrayView2<'_, u32> {
        self.indices.view()
    }

    /// How near they are: `[n, k]`, ascending along each row.
    pub fn distances(&self) -> ArrayView2<'_, f64> {
        self.distances.view()
    }

    /// The distances of all points to their `rank`-th neighbour, from 1.
    ///
    /// # Errors
    /// [`Error::TooFewNeighbours`] beyond k, naming `what` needs them.
    pub fn at_rank(&self, rank: usize, what: &'static str) -> Result<ArrayView1<'_, f64>> {
        if rank == 0 || rank > self.k() {
            return Err(Error::TooFewNeighbours { what, found: self.k(), needed: rank });
        }
        Ok(self.distances.column(rank - 1))
    }

    /// Points that have an exact copy among the others.
    pub fn duplicates(&self) -> usize {
        match self.k() {
            0 => 0,
            _ => self.distances.column(0).iter().filter(|&&distance| distance == 0.0).count(),
        }
    }
}
