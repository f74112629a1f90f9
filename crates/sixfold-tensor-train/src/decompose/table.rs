//! Dense tables as they are read: row by row.

use ndarray::{Array2, ArrayView1, ArrayView2};
use rayon::prelude::*;
use sixfold_linalg::files::Matrix;

use crate::{Error, Result};

/// Rows of a task of [`scan`].
const ROWS: usize = 512;

/// A dense table `[V, D]` whose rows can be read: an array, a matrix of a file, or one of these in another
/// [`Order`](crate::order::Order). It is read in blocks of rows and never copied whole.
///
/// A [`Matrix`] of half precision was widened as a whole when its file gave it out.
pub trait Table: Sync {
    /// V and D.
    fn dim(&self) -> (usize, usize);

    /// Row `row`, `[D]`: where it lies, or in `scratch`, `[D]`.
    ///
    /// # Panics
    /// If there is no such row.
    fn read_row<'a>(&'a self, row: usize, scratch: &'a mut [f32]) -> &'a [f32];
}

impl Table for ArrayView2<'_, f32> {
    fn dim(&self) -> (usize, usize) {
        (self.nrows(), self.ncols())
    }

    fn read_row<'a>(&'a self, row: usize, scratch: &'a mut [f32]) -> &'a [f32] {
        in_place(self.row(row), scratch)
    }
}

impl Table for ArrayView2<'_, f64> {
    fn dim(&self) -> (usize, usize) {
        (self.nrows(), self.ncols())
    }

    fn read_row<'a>(&'a self, row: usize, scratch: &'a mut [f32]) -> &'a [f32] {
        rounded(self.row(row), scratch)
    }
}

impl Table for Array2<f32> {
    fn dim(&self) -> (usize, usize) {
        (self.nrows(), self.ncols())
    }

    fn read_row<'a>(&'a self, row: usize, scratch: &'a mut [f32]) -> &'a [f32] {
        in_place(self.row(row), scratch)
    }
}

impl Table for Matrix<'_> {
    fn dim(&self) -> (usize, usize) {
        self.dim()
    }

    fn read_row<'a>(&'a self, row: usize, scratch: &'a mut [f32]) -> &'a [f32] {
        match self {
            Self::F32(x) => in_place(x.row(row), scratch),
            Self::F64(x) => rounded(x.row(row), scratch),
        }
    }
}

impl<T: Table + ?Sized> Table for &T {
    fn dim(&self) -> (usize, usize) {
        (**self).dim()
    }

    fn read_row<'a>(&'a self, row: usize, scratch: &'a mut [f32]) -> &'a [f32] {
        (**self).read_row(row, scratch)
    }
}

/// A row where it lies, if its values lie together.
fn in_place<'a>(row: ArrayView1<'a, f32>, scratch: &'a mut [f32]) -> &'a [f32] {
    row.to_slice().unwrap_or_else(|| {
        scratch.iter_mut().zip(row).for_each(|(to, from)| *to = *from);
        scratch
    })
}

fn rounded<'a>(row: ArrayView1<'_, f64>, scratch: &'a mut [f32]) -> &'a [f32] {
    scratch.iter_mut().zip(row).for_each(|(to, from)| *to = *from as f32);
    scratch
}

/// What a first pass over a table finds.
pub(crate) struct Scan {
    pub(crate) max_abs: f32,
    /// The sum of all squares.
    pub(crate) energy: f64,
}

/// The largest magnitude and the norm; an error for the first value that is not finite.
pub(crate) fn scan(table: &dyn Table) -> Result<Scan> {
    let (rows, columns) = table.dim();
    let of_rows = |start: usize| {
        let mut scratch = vec![0.0; columns];
        let (mut max_abs, mut energy) = (0.0_f32, 0.0);
        for i in start..(start + ROWS).min(rows) {
            let row = table.read_row(i, &mut scratch);
            let (max, squares) = scan_row(row);
            if !squares.is_finite() {
                let column = row.iter().position(|x| !x.is_finite()).unwrap_or(0);
                return Err(Error::NotFinite { what: "the table", row: i, column });
            }
            max_abs = max_abs.max(max);
            energy += squares;
        }
        Ok((max_abs, energy))
    };
    let starts: Vec<usize> = (0..rows).step_by(ROWS).collect();
    // Tasks end in any order; the first error and the sum are those of the rows' order.
    let parts: Vec<Result<(f32, f64)>> = starts.into_par_iter().map(of_rows).collect();
    let mut found = Scan { max_abs: 0.0, energy: 0.0 };
    for part in parts {
        let (max_abs, energy) = part?;
        found.max_abs = found.max_abs.max(max_abs);
        found.energy += energy;
    }
    Ok(found)
}

/// The largest magnitude and the sum of squares, which is not finite where a value is not: squares of f32
/// are far from overflow in f64.
fn scan_row(row: &[f32]) -> (f32, f64) {
    const LANES: usize = 16;
    let (mut max, mut sum) = ([0.0_f32; LANES], [0.0_f64; LANES]);
    let (chunks, rest) = row.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            let x = chunk[lane];
            max[lane] = if x.abs() > max[lane] { x.abs() } else { max[lane] };
            sum[lane] += f64::from(x) * f64::from(x);
        }
    }
    let start = (max.into_iter().fold(0.0, f32::max), sum.into_iter().sum::<f64>());
    rest.iter().fold(start, |(max, sum), x| (max.max(x.abs()), sum + f64::from(*x) * f64::from(*x)))
}
