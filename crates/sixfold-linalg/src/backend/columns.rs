//! A column-major f64 matrix: what both libraries below work on.

use faer::{MatMut, MatRef};
use nalgebra::DMatrix;
use ndarray::{Array2, ArrayView2};

use crate::Real;

#[derive(Clone, Debug)]
pub(crate) struct Columns {
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) data: Vec<f64>,
}

impl Columns {
    pub(crate) fn zeros(rows: usize, cols: usize) -> Self {
        Self { rows, cols, data: vec![0.0; rows * cols] }
    }

    /// `factor`·a.
    pub(crate) fn load<T: Real>(a: ArrayView2<'_, T>, factor: f64) -> Self {
        let (rows, cols) = a.dim();
        let data = a.t().iter().map(|x| x.widen() * factor).collect();
        Self { rows, cols, data }
    }

    /// `factor`·self in row-major order.
    pub(crate) fn store<T: Real>(&self, factor: f64) -> Array2<T> {
        self.view().mapv(|x| T::narrow(x * factor)).as_standard_layout().into_owned()
    }

    /// `factor`·selfᵀ in row-major order.
    pub(crate) fn store_transposed<T: Real>(&self, factor: f64) -> Array2<T> {
        self.view().reversed_axes().mapv(|x| T::narrow(x * factor))
    }

    pub(crate) fn view(&self) -> ArrayView2<'_, f64> {
        ArrayView2::from_shape((self.cols, self.rows), &self.data)
            .unwrap_or_else(|_| unreachable!("the vector holds rows · cols numbers"))
            .reversed_axes()
    }

    pub(crate) fn column_mut(&mut self, j: usize) -> &mut [f64] {
        &mut self.data[j * self.rows..(j + 1) * self.rows]
    }

    pub(crate) fn faer(&self) -> MatRef<'_, f64> {
        MatRef::from_column_major_slice(&self.data, self.rows, self.cols)
    }

    pub(crate) fn faer_mut(&mut self) -> MatMut<'_, f64> {
        MatMut::from_column_major_slice_mut(&mut self.data, self.rows, self.cols)
    }

    pub(crate) fn nalgebra(&self) -> DMatrix<f64> {
        DMatrix::from_column_slice(self.rows, self.cols, &self.data)
    }

    pub(crate) fn from_nalgebra(a: DMatrix<f64>) -> Self {
        Self { rows: a.nrows(), cols: a.ncols(), data: a.data.into() }
    }
}
