//! Updates of a core, applied to the weights.

use std::borrow::Cow;

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis};
use rayon::prelude::*;
use sixfold_linalg::simd::simd;
use sixfold_linalg::{Threads, matmul_into};

use crate::basis::Basis;
use crate::{Error, Mask, Result};

/// Columns of the weights that one task updates, at most.
const PANEL: usize = 64;

/// Numbers that a task holds of ΔS·Vᵀ at most, where its panel need not be narrower than four columns.
const HELD: usize = 1 << 13;

/// A product by gemm takes a quarter of the time of as many single multiplications in rows.
const GEMM: usize = 4;

/// A change ΔS of a core.
#[derive(Clone, Copy, Debug)]
pub enum Update<'a> {
    /// All entries, `[r_in, r_out]`.
    Dense(ArrayView2<'a, f32>),
    /// The entries of a mask, in its order.
    Sparse(&'a Mask, &'a [f32]),
}

impl Basis {
    /// W ← W + alpha·U·ΔS·Vᵀ, in place.
    ///
    /// Neither ΔS of the size of the core nor a product of the size of W is formed where the mask is
    /// sparse: panels of 64 columns (or rows) of W are updated one by one, each from the entries. Between
    /// features themselves the entries are added where they belong, and that is all.
    ///
    /// # Shapes
    /// `weights` is `[d_in, d_out]`, any strides.
    ///
    /// # Errors
    /// [`Error::Shape`] where weights, mask or values do not fit the basis; W is then unchanged.
    ///
    /// # Complexity
    /// 2·k·d for the entries and 2·d_in·d_out·min(r_in, r_out) for the product, d being the side that is
    /// cut into panels; k operations between features.
    ///
    /// ```
    /// use ndarray::{Array2, array};
    /// use sixfold_sparsegrad::{Basis, Mask, Update};
    /// let mut weights = Array2::<f32>::zeros((2, 3));
    /// let mask = Mask::new([2, 3], vec![1, 5])?;
    /// Basis::identity(2, 3).apply(Update::Sparse(&mask, &[1.0, 2.0]), -0.5, weights.view_mut())?;
    /// assert_eq!(weights, array![[0.0, -0.5, 0.0], [0.0, 0.0, -1.0]]);
    /// # Ok::<(), sixfold_sparsegrad::Error>(())
    /// ```
    pub fn apply(
        &self,
        update: Update<'_>,
        alpha: f32,
        weights: ArrayViewMut2<'_, f32>,
    ) -> Result<()> {
        let found = [weights.nrows(), weights.ncols()];
        crate::error::same_shape("weights", self.weights(), found)?;
        let sides = [&self.input, &self.output].map(|side| side.columns().map(|c| c.view()));
        add_rotated(weights, sides, update, alpha)
    }
}

/// W ← W + alpha·U·ΔS·Vᵀ for bases that fit the weights; none for a side of the features themselves.
pub(crate) fn add_rotated(
    weights: ArrayViewMut2<'_, f32>,
    [u, v]: [Option<ArrayView2<'_, f32>>; 2],
    update: Update<'_>,
    alpha: f32,
) -> Result<()> {
    let rank = |side: Option<ArrayView2<'_, f32>>, width| side.map_or(width, |side| side.ncols());
    let core = [rank(u, weights.nrows()), rank(v, weights.ncols())];
    let change = Change::new(update, core, u.is_some() || v.is_some())?;
    match (u, v) {
        (None, None) => change.add(alpha, weights),
        (Some(u), Some(v)) if core[0] <= core[1] => {
            panels(weights, Some(u), v, alpha, &change);
        }
        // The same on the other side of the diagonal.
        (Some(u), v) => {
            let change = change.transposed(core[1]);
            panels(weights.reversed_axes(), v, u, alpha, &change);
        }
        (None, Some(v)) => panels(weights, None, v, alpha, &change),
    }
    Ok(())
}

/// ΔS, and how it is stored.
enum Change<'a> {
    Dense(ArrayView2<'a, f32>),
    Filled(Array2<f32>),
    Entries(Entries<'a>),
}

/// Entries row by row.
struct Entries<'a> {
    /// Where those of each row begin, and where the last end.
    starts: Vec<u32>,
    columns: Vec<u32>,
    values: Cow<'a, [f32]>,
}

impl<'a> Entries<'a> {
    fn new(indices: &[u32], values: &'a [f32], [rows, columns]: [usize; 2]) -> Self {
        let start =
            |row: usize| indices.partition_point(|at| (*at as usize) < row * columns) as u32;
        Self {
            starts: (0..=rows).map(start).collect(),
            columns: indices.iter().map(|at| at % columns as u32).collect(),
            values: Cow::Borrowed(values),
        }
    }

    fn row(&self, row: usize) -> impl Iterator<Item = (usize, f32)> {
        let at = self.starts[row] as usize..self.starts[row + 1] as usize;
        let columns = self.columns[at.clone()].iter();
        columns.zip(&self.values[at]).map(|(column, value)| (*column as usize, *value))
    }

    /// The same column by column, of which there are so many.
    fn transposed(&self, columns: usize) -> Self {
        let mut starts = vec![0_u32; columns + 1];
        self.columns.iter().for_each(|column| starts[*column as usize + 1] += 1);
        for at in 0..columns {
            starts[at + 1] += starts[at];
        }
        let (mut rows, mut values) = (vec![0; self.columns.len()], vec![0.0; self.columns.len()]);
        for row in 0..self.starts.len() - 1 {
            for (column, value) in self.row(row) {
                // Each place moves on, and ends where the next column began.
                let at = starts[column] as usize;
                (rows[at], values[at]) = (row as u32, value);
                starts[column] += 1;
            }
        }
        starts.rotate_right(1);
        starts[0] = 0;
        Self { starts, columns: rows, values: Cow::Owned(values) }
    }
}

impl<'a> Change<'a> {
    fn new(update: Update<'a>, core: [usize; 2], rotated: bool) -> Result<Self> {
        let (mask, values) = match update {
            Update::Dense(dense) => {
                crate::error::same_shape("update", core, [dense.nrows(), dense.ncols()])?;
                return Ok(Self::Dense(dense));
            }
            Update::Sparse(mask, values) => (mask, values),
        };
        crate::error::same_shape("mask", core, mask.shape())?;
        if values.len() != mask.len() {
            return Err(Error::Shape {
                path: String::new(),
                what: "values of the mask",
                expected: vec![mask.len()],
                found: vec![values.len()],
            });
        }
        let Some(indices) = mask.indices() else {
            let dense = ArrayView2::from_shape(core, values).expect("the lengths are equal");
            return Ok(Self::Dense(dense));
        };
        if rotated && GEMM * indices.len() > core[0] * core[1] {
            // Entries that fill a good part of the core become a matrix.
            let mut dense = Array2::zeros(core);
            let cells = dense.as_slice_mut().expect("a matrix in rows");
            indices.iter().zip(values).for_each(|(at, value)| cells[*at as usize] = *value);
            return Ok(Self::Filled(dense));
        }
        Ok(Self::Entries(Entries::new(indices, values, core)))
    }

    fn transposed(self, columns: usize) -> Self {
        match self {
            Self::Dense(dense) => Self::Dense(dense.reversed_axes()),
            Self::Filled(dense) => Self::Filled(dense.reversed_axes()),
            Self::Entries(entries) => Self::Entries(entries.transposed(columns)),
        }
    }

    /// W ← W + alpha·ΔS
    fn add(&self, alpha: f32, mut weights: ArrayViewMut2<'_, f32>) {
        match self {
            Self::Dense(dense) => weights.scaled_add(alpha, dense),
            Self::Filled(dense) => weights.scaled_add(alpha, dense),
            Self::Entries(entries) => {
                for (row, mut weights) in weights.rows_mut().into_iter().enumerate() {
                    entries.row(row).for_each(|(column, value)| weights[column] += alpha * value);
                }
            }
        }
    }

    /// ΔS·Vᵀ for some rows of V.
    fn times(&self, v: ArrayView2<'_, f32>, into: &mut Array2<f32>) {
        let entries = match self {
            Self::Dense(dense) => {
                return matmul_into(1.0, dense.view(), v.t(), 0.0, into.view_mut(), Threads::ONE);
            }
            Self::Filled(dense) => {
                return matmul_into(1.0, dense.view(), v.t(), 0.0, into.view_mut(), Threads::ONE);
            }
            Self::Entries(entries) => entries,
        };
        let width = v.nrows();
        let v = v.t().as_standard_layout().into_owned();
        let (v, into) = (v.as_slice(), into.as_slice_mut());
        let (Some(v), Some(into)) = (v, into) else { return };
        simd(
            #[inline(always)]
            || {
                for (row, to) in into.chunks_exact_mut(width).enumerate() {
                    for (column, value) in entries.row(row) {
                        let from = &v[column * width..][..width];
                        for (to, from) in to.iter_mut().zip(from) {
                            *to += value * from;
                        }
                    }
                }
            },
        );
    }
}

/// W ← W + alpha·U·ΔS·Vᵀ by panels of columns of W, which are rows of V.
fn panels(
    mut weights: ArrayViewMut2<'_, f32>,
    u: Option<ArrayView2<'_, f32>>,
    v: ArrayView2<'_, f32>,
    alpha: f32,
    change: &Change<'_>,
) {
    let rows = u.map_or(weights.nrows(), |u| u.ncols());
    let width = (HELD / rows.max(1)).clamp(4, PANEL);
    let panels: Vec<_> = weights.axis_chunks_iter_mut(Axis(1), width).collect();
    let of_v: Vec<_> = v.axis_chunks_iter(Axis(0), width).collect();
    panels.into_par_iter().zip(of_v).for_each(|(mut panel, v)| {
        let mut half = Array2::zeros((rows, v.nrows()));
        change.times(v, &mut half);
        match u {
            Some(u) => matmul_into(alpha, u, half.view(), 1.0, panel, Threads::ONE),
            None => panel.scaled_add(alpha, &half),
        }
    });
}
