//! Sweeps on the CPU: tiles that stay in the second-level cache, panels dealt to threads.

use std::f32::consts::LOG2_E;
use std::ops::Range;

use ndarray::{Array2, ArrayView2, s};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::Sweep;
use super::micro::{self, Left, Store, multiply, with_rows};
use super::packed::Packed;
use super::tile::{Row, Spare, Value, derive};
use crate::{Error, Objective, Result};

/// Rows and columns of a tile: 192 KiB, which leaves half of a small second-level cache to the
/// factors. Columns are a multiple of any panel.
pub const ROWS: usize = 96;
/// See [`ROWS`].
pub const COLUMNS: usize = 384;

/// Exact sweeps in f32 on the threads of the rayon pool.
///
/// Results are the same to the last bit for any number of threads.
///
/// # Complexity
/// 4·n·m·d operations for one product and 6·n·m·d for both, nearly all at the rate of a matrix product;
/// memory for two packed factors, and a tile for each thread.
#[derive(Clone, Copy, Debug)]
pub struct HostSweep<'a> {
    objective: &'a Objective,
}

impl<'a> HostSweep<'a> {
    /// Sweeps of this objective.
    pub fn new(objective: &'a Objective) -> Self {
        Self { objective }
    }
}

impl Sweep<f32> for HostSweep<'_> {
    fn shape(&self) -> [usize; 2] {
        self.objective.dim().into()
    }

    fn rows(&self, a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>) -> Result<(f64, Array2<f32>)> {
        check(self.shape(), a, b)?;
        let a = a.as_standard_layout();
        let (across, right) = (Packed::new(b.t(), LOG2_E), Packed::new(b, 1.0));
        let mut product = Array2::zeros(a.dim());
        let d = a.ncols();
        let values: Vec<f64> = product
            .as_slice_mut()
            .expect("a new matrix is contiguous")
            .par_chunks_mut(ROWS * d)
            .enumerate()
            .map_init(Tile::default, |tile, (panel, product)| {
                let rows = panel * ROWS..panel * ROWS + product.len() / d;
                let left = a.slice(s![rows.clone(), ..]);
                let left = left.as_slice().expect("rows of a contiguous matrix");
                let mut sums = vec![0.0; rows.len() * right.width()];
                tile.begin(self.objective, rows.clone(), 0);
                let mut value = 0.0;
                for columns in spans(b.nrows(), COLUMNS) {
                    tile.fill(left, d, &across, columns.clone());
                    value += tile.derive(self.objective, rows.clone(), columns.clone(), Value::Wanted);
                    tile.add_product(&right, columns, &mut sums);
                }
                unpad(&sums, right.width(), product, d);
                value
            })
            .collect();
        Ok((values.iter().sum(), product))
    }

    fn columns(&self, a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>) -> Result<(f64, Array2<f32>)> {
        check(self.shape(), a, b)?;
        let a = a.as_standard_layout();
        let (across, right) = (Packed::new(b.t(), LOG2_E), Packed::new(a.view(), 1.0));
        let mut product = Array2::zeros(b.dim());
        let d = b.ncols();
        let values: Vec<f64> = product
            .as_slice_mut()
            .expect("a new matrix is contiguous")
            .par_chunks_mut(COLUMNS * d)
            .enumerate()
            .map_init(Tile::default, |tile, (panel, product)| {
                let columns = panel * COLUMNS..panel * COLUMNS + product.len() / d;
                let mut sums = vec![0.0; columns.len() * right.width()];
                let mut value = 0.0;
                for rows in spans(a.nrows(), ROWS) {
                    let left = a.slice(s![rows.clone(), ..]);
                    let left = left.as_slice().expect("rows of a contiguous matrix");
                    tile.begin(self.objective, rows.clone(), columns.start);
                    tile.fill(left, d, &across, columns.clone());
                    value += tile.derive(self.objective, rows.clone(), columns.clone(), Value::Unwanted);
                    tile.add_transposed_product(&right, rows, columns.len(), &mut sums);
                }
                unpad(&sums, right.width(), product, d);
                value
            })
            .collect();
        Ok((values.iter().sum(), product))
    }
}

/// Memory of a tile, kept by a thread from panel to panel.
#[derive(Default)]
struct Tile {
    x: Vec<f32>,
    rows: usize,
    /// From a row to the next: the columns and their padding.
    pitch: usize,
    spare: Spare,
    /// Where the positive pairs of each row go on.
    cursors: Vec<usize>,
}

impl Tile {
    /// t = log₂ e·A·Bᵀ of a tile. `left` are the rows of A, `across` is all of Bᵀ.
    fn fill(&mut self, left: &[f32], d: usize, across: &Packed, columns: Range<usize>) {
        self.rows = left.len() / d.max(1);
        self.pitch = across.padded(columns.clone());
        self.x.resize(self.rows * self.pitch, 0.0);
        Arch::new().dispatch(Fill { tile: self, left, d, across, columns });
    }

    /// Replaces it by the derivative and returns the objective of it. Tiles of the same rows must
    /// follow each other from left to right, after [`Self::begin`].
    fn derive(
        &mut self,
        objective: &Objective,
        rows: Range<usize>,
        columns: Range<usize>,
        value: Value,
    ) -> f64 {
        let q = &objective.column_weights()[columns.clone()];
        let mut sum = 0.0;
        for ((i, t), cursor) in
            rows.zip(self.x.chunks_exact_mut(self.pitch)).zip(&mut self.cursors)
        {
            let (of_row, counts) = objective.counts().row(i);
            let (of_row, counts) = (&of_row[*cursor..], &counts[*cursor..]);
            let found = of_row.iter().take_while(|&&j| (j as usize) < columns.end).count();
            *cursor += found;
            let row = Row {
                t: &mut t[..columns.len()],
                b: objective.row_weights()[i],
                q,
                start: columns.start,
                columns: &of_row[..found],
                counts: &counts[..found],
            };
            sum += derive(row, &mut self.spare, value);
        }
        sum
    }

    /// Sets the cursors of these rows to the first pair from column `from` on.
    fn begin(&mut self, objective: &Objective, rows: Range<usize>, from: usize) {
        let first = |i| objective.counts().row(i).0.partition_point(|&j| (j as usize) < from);
        self.cursors.clear();
        self.cursors.extend(rows.map(first));
    }

    /// Adds T·B of the tile.
    fn add_product(&self, right: &Packed, columns: Range<usize>, sums: &mut [f32]) {
        Arch::new().dispatch(Product { tile: self, right, depth: columns, sums });
    }

    /// Adds Tᵀ·A of the tile.
    fn add_transposed_product(&self, right: &Packed, rows: Range<usize>, width: usize, sums: &mut [f32]) {
        Arch::new().dispatch(TransposedProduct { tile: self, right, depth: rows, width, sums });
    }
}

struct Fill<'a> {
    tile: &'a mut Tile,
    left: &'a [f32],
    d: usize,
    across: &'a Packed,
    columns: Range<usize>,
}

impl WithSimd for Fill<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { tile, left, d, across, columns } = self;
        let (rows, pitch) = (tile.rows, tile.pitch);
        for mut panel in across.panels(columns.clone(), 0..d) {
            panel.start -= columns.start;
            for first in (0..rows).step_by(micro::ROWS) {
                let out = &mut tile.x[first * pitch..];
                let left = &left[first * d..];
                with_rows!(rows - first, R => multiply::<S, R>(
                    simd, d, Left::Rows(left, d), panel, (out, pitch), Store::Set));
            }
        }
    }
}

struct Product<'a> {
    tile: &'a Tile,
    right: &'a Packed,
    depth: Range<usize>,
    sums: &'a mut [f32],
}

impl WithSimd for Product<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { tile, right, depth, sums } = self;
        let width = right.width();
        for panel in right.panels(0..width, depth.clone()) {
            for first in (0..tile.rows).step_by(micro::ROWS) {
                let left = &tile.x[first * tile.pitch..];
                let out = &mut sums[first * width..];
                let depth = depth.len();
                with_rows!(tile.rows - first, R => multiply::<S, R>(
                    simd, depth, Left::Rows(left, tile.pitch), panel, (out, width), Store::Add));
            }
        }
    }
}

struct TransposedProduct<'a> {
    tile: &'a Tile,
    right: &'a Packed,
    depth: Range<usize>,
    width: usize,
    sums: &'a mut [f32],
}

impl WithSimd for TransposedProduct<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { tile, right, depth, width, sums } = self;
        for panel in right.panels(0..right.width(), depth.clone()) {
            for first in (0..width).step_by(micro::ROWS) {
                let left = &tile.x[first..];
                let out = &mut sums[first * right.width()..];
                with_rows!(width - first, R => multiply::<S, R>(
                    simd, depth.len(), Left::Columns(left, tile.pitch), panel, (out, right.width()), Store::Add));
            }
        }
    }
}

/// Copies rows without their padding.
fn unpad(sums: &[f32], width: usize, product: &mut [f32], d: usize) {
    for (to, from) in product.chunks_exact_mut(d).zip(sums.chunks_exact(width)) {
        to.copy_from_slice(&from[..d]);
    }
}

/// 0..n in pieces.
fn spans(n: usize, width: usize) -> impl Iterator<Item = Range<usize>> {
    (0..n).step_by(width).map(move |start| start..(start + width).min(n))
}

/// Whether the factors fit the matrix.
fn check([n, m]: [usize; 2], a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>) -> Result<()> {
    let d = a.ncols();
    let fits = |what, expected, found: (usize, usize)| {
        let found = found.into();
        if expected == found { Ok(()) } else { Err(Error::ShapeMismatch { what, expected, found }) }
    };
    fits("the factor of words", [n, d], a.dim())?;
    fits("the factor of contexts", [m, d], b.dim())
}
