//! The neighbours of one point as vectors from it, and their products.

use ndarray::{Array2, ArrayView2, Zip, s};
use sixfold_linalg::{Real, Threads, ensure_finite, gram_with};

use crate::{Error, Neighbours, Result};

/// Gathers neighbourhoods one after the other into the same memory, O(k·d).
pub(super) struct Gather<'a, T> {
    x: ArrayView2<'a, T>,
    table: &'a Neighbours,
    /// xⱼ − xᵢ of the neighbours j, `[k, d]`.
    vectors: Array2<f64>,
}

impl<'a, T: Real> Gather<'a, T> {
    pub(super) fn new(x: ArrayView2<'a, T>, table: &'a Neighbours, k: usize) -> Self {
        Self { x, table, vectors: Array2::zeros((k, x.ncols())) }
    }

    /// The vectors from `point` to its k nearest neighbours, `[k, d]`, exact differences in f64.
    pub(super) fn vectors(&mut self, point: usize) -> ArrayView2<'_, f64> {
        let k = self.vectors.nrows();
        let own = self.x.row(point);
        let near = self.table.indices();
        for (vector, &j) in self.vectors.rows_mut().into_iter().zip(near.slice(s![point, ..k])) {
            Zip::from(vector).and(self.x.row(j as usize)).and(own).for_each(|v, a, b| {
                *v = a.widen() - b.widen();
            });
        }
        self.vectors.view()
    }
}

/// All products of rows, A·Aᵀ, on the calling thread.
pub(super) fn products_of_rows(a: ArrayView2<'_, f64>) -> Array2<f64> {
    gram_with(a.reversed_axes(), Threads::ONE)
}

/// Refuses points that are not those of the table, and NaN and infinities among them.
pub(super) fn check<T: Real>(x: ArrayView2<'_, T>, table: &Neighbours) -> Result<()> {
    if x.nrows() != table.n() {
        return Err(Error::ShapeMismatch {
            what: "x",
            expected: [table.n(), x.ncols()],
            found: [x.nrows(), x.ncols()],
        });
    }
    ensure_finite("x", x).map_err(|error| match error {
        sixfold_linalg::Error::NotFinite { what, row, col } => Error::NotFinite { what, row, col },
        other => other.into(),
    })
}
