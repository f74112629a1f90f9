//! The cores of a table on the host.

use ndarray::Array2;

use crate::lookup::{self, Plan};
use crate::{Error, Result, TtShape};

/// A table in tensor-train or tensor-ring form: its cores one after the other, core k in
/// `[I_k, r_{k−1}, J_k, r_k]` order.
///
/// ```
/// use sixfold_tensor_train::{Cores, TtShape};
///
/// // Of rank 1: row i is (2^i_1 · 3^i_2) · (1, 10).
/// let shape = TtShape::train(4, [2, 2], [1, 2], 1)?;
/// let cores = Cores::new(shape, vec![1.0, 2.0, 1.0, 10.0, 3.0, 30.0])?;
/// assert_eq!(cores.rows(&[3, 0])?.as_slice(), Some(&[6.0, 60.0, 1.0, 10.0][..]));
/// # Ok::<(), sixfold_tensor_train::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Cores {
    shape: TtShape,
    values: Vec<f32>,
}

impl Cores {
    /// Cores of these values.
    ///
    /// # Errors
    /// If there are more or fewer than the shape's parameters.
    pub fn new(shape: TtShape, values: Vec<f32>) -> Result<Self> {
        let (expected, found) = (shape.parameters(), values.len());
        if expected != found {
            return Err(Error::Length { what: "the cores", expected, found });
        }
        Ok(Self { shape, values })
    }

    /// Their shape.
    pub fn shape(&self) -> &TtShape {
        &self.shape
    }

    /// All values.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// All values, to change.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// The shape and the values.
    pub fn into_parts(self) -> (TtShape, Vec<f32>) {
        (self.shape, self.values)
    }

    /// The values of core k, `[I_k, r_{k−1}, J_k, r_k]`, counted from 0.
    ///
    /// # Panics
    /// If there is no such core.
    pub fn core(&self, k: usize) -> &[f32] {
        &self.values[self.shape.core_range(k)]
    }

    /// Rows of the table, `[ids, D]`.
    ///
    /// # Errors
    /// If an id is not below the vocabulary.
    ///
    /// # Complexity
    /// That of [`lookup::forward`].
    pub fn rows(&self, ids: &[i64]) -> Result<Array2<f32>> {
        let plan = Plan::new(&self.shape, &self.shape.check_ids(ids.iter().copied())?);
        let values = lookup::forward(&self.shape, &self.values, &plan);
        Ok(matrix([ids.len(), self.shape.d_embed()], values))
    }

    /// The whole table, `[V, D]`: for export and for tests.
    ///
    /// # Complexity
    /// 2·V·D·r_{d−1} operations and what the prefixes take, V·D numbers of memory.
    pub fn to_dense(&self) -> Array2<f32> {
        let plan = Plan::all(&self.shape);
        let values = lookup::unique_rows(&self.shape, &self.values, &plan);
        matrix([self.shape.vocab_size(), self.shape.d_embed()], values)
    }
}

fn matrix(shape: [usize; 2], values: Vec<f32>) -> Array2<f32> {
    Array2::from_shape_vec(shape, values).expect("as many values as the shape says")
}
