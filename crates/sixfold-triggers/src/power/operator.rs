//! Linear maps that are known by their products and may fail.

use ndarray::{Array1, Array2, ArrayView1, Axis, s};
use sixfold_linalg::Real;

use crate::{Error, Result};

/// A linear map between vectors, such as the Jacobian of a layer at one batch of texts.
///
/// Unlike [`sixfold_linalg::LinearOperator`] its products can fail, as a model's can.
pub trait Jacobian {
    /// Rows and columns `[m, n]`.
    fn shape(&self) -> [usize; 2];

    /// J·v.
    ///
    /// # Shapes
    /// `[n]` → `[m]`
    ///
    /// # Errors
    /// What its model refuses.
    fn apply(&self, v: ArrayView1<'_, f64>) -> Result<Array1<f64>>;

    /// Jᵀ·u.
    ///
    /// # Shapes
    /// `[m]` → `[n]`
    ///
    /// # Errors
    /// What its model refuses.
    fn apply_transpose(&self, u: ArrayView1<'_, f64>) -> Result<Array1<f64>>;
}

impl<J: Jacobian + ?Sized> Jacobian for &J {
    fn shape(&self) -> [usize; 2] {
        (**self).shape()
    }

    fn apply(&self, v: ArrayView1<'_, f64>) -> Result<Array1<f64>> {
        (**self).apply(v)
    }

    fn apply_transpose(&self, u: ArrayView1<'_, f64>) -> Result<Array1<f64>> {
        (**self).apply_transpose(u)
    }
}

/// A matrix; sums are made in `f64`.
impl<T: Real> Jacobian for Array2<T> {
    fn shape(&self) -> [usize; 2] {
        [self.nrows(), self.ncols()]
    }

    fn apply(&self, v: ArrayView1<'_, f64>) -> Result<Array1<f64>> {
        Ok(self.map_axis(Axis(1), |row| row.iter().zip(v).map(|(a, v)| a.widen() * v).sum()))
    }

    fn apply_transpose(&self, u: ArrayView1<'_, f64>) -> Result<Array1<f64>> {
        let mut out = Array1::zeros(self.ncols());
        for (row, &u) in self.rows().into_iter().zip(u) {
            out.zip_mut_with(&row, |out: &mut f64, a| *out += a.widen() * u);
        }
        Ok(out)
    }
}

/// A map of two closures, for those who have products and no type.
pub struct Products<F, G> {
    shape: [usize; 2],
    apply: F,
    apply_transpose: G,
}

impl<F, G> Products<F, G>
where
    F: Fn(ArrayView1<'_, f64>) -> Result<Array1<f64>>,
    G: Fn(ArrayView1<'_, f64>) -> Result<Array1<f64>>,
{
    /// A map of shape `[m, n]` from J·v and Jᵀ·u.
    pub fn new(shape: [usize; 2], apply: F, apply_transpose: G) -> Self {
        Self { shape, apply, apply_transpose }
    }
}

impl<F, G> Jacobian for Products<F, G>
where
    F: Fn(ArrayView1<'_, f64>) -> Result<Array1<f64>>,
    G: Fn(ArrayView1<'_, f64>) -> Result<Array1<f64>>,
{
    fn shape(&self) -> [usize; 2] {
        self.shape
    }

    fn apply(&self, v: ArrayView1<'_, f64>) -> Result<Array1<f64>> {
        (self.apply)(v)
    }

    fn apply_transpose(&self, u: ArrayView1<'_, f64>) -> Result<Array1<f64>> {
        (self.apply_transpose)(u)
    }
}

/// Maps one under another: the Jacobians of all texts of a batch, with one direction for all.
#[derive(Clone, Debug)]
pub struct Stacked<J> {
    parts: Vec<J>,
    shape: [usize; 2],
}

impl<J: Jacobian> Stacked<J> {
    /// The map v → (J₁·v, J₂·v, …).
    ///
    /// # Errors
    /// [`Error::Empty`] for no maps, [`Error::Mismatch`] where their columns differ.
    pub fn new(parts: Vec<J>) -> Result<Self> {
        let Some(first) = parts.first() else {
            return Err(Error::Empty { what: "maps to stack" });
        };
        let columns = first.shape()[1];
        if let Some(other) = parts.iter().map(|part| part.shape()[1]).find(|&n| n != columns) {
            return Err(Error::Mismatch {
                what: "the columns of a stacked map",
                expected: columns.to_string(),
                found: other.to_string(),
            });
        }
        let rows = parts.iter().map(|part| part.shape()[0]).sum();
        Ok(Self { parts, shape: [rows, columns] })
    }
}

impl<J: Jacobian> Jacobian for Stacked<J> {
    fn shape(&self) -> [usize; 2] {
        self.shape
    }

    fn apply(&self, v: ArrayView1<'_, f64>) -> Result<Array1<f64>> {
        let mut out = Array1::zeros(self.shape[0]);
        let mut from = 0;
        for part in &self.parts {
            let rows = part.shape()[0];
            out.slice_mut(s![from..from + rows]).assign(&part.apply(v)?);
            from += rows;
        }
        Ok(out)
    }

    fn apply_transpose(&self, u: ArrayView1<'_, f64>) -> Result<Array1<f64>> {
        let mut out = Array1::zeros(self.shape[1]);
        let mut from = 0;
        for part in &self.parts {
            let rows = part.shape()[0];
            out += &part.apply_transpose(u.slice(s![from..from + rows]))?;
            from += rows;
        }
        Ok(out)
    }
}
