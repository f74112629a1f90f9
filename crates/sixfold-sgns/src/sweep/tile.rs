//! A tile of a sweep: the product that makes it, its rows, and the products that it takes part in.

use std::f32::consts::LOG2_E;
use std::ops::Range;

use ndarray::ArrayView2;
use pulp::{Arch, Simd, WithSimd};

use super::micro::{self, Left, Store, multiply, with_rows};
use super::packed::Packed;
use super::row::{Row, Value, derive};
use super::sparse::Rows;
use super::terms::Terms;

/// X = A·Bᵀ in the form in which tiles are made.
pub(super) struct Factors<'a> {
    a: Rows<'a>,
    /// log₂ e·Bᵀ
    across: Packed,
}

impl<'a> Factors<'a> {
    pub(super) fn new(a: ArrayView2<'a, f32>, b: ArrayView2<'_, f32>) -> Self {
        Self { a: Rows::new(a), across: Packed::new(b.t(), LOG2_E) }
    }

    /// Rows of A, one after the other.
    fn rows(&self, rows: Range<usize>) -> &[f32] {
        let d = self.a.width;
        &self.a.values()[rows.start * d..rows.end * d]
    }
}

/// Memory of a tile, kept by a thread from panel to panel.
#[derive(Default)]
pub(super) struct Tile {
    x: Vec<f32>,
    rows: usize,
    columns: usize,
    /// From a row to the next: the columns and their padding.
    pitch: usize,
    /// Counts of a row, and a buffer.
    counts: Vec<f32>,
    spare: Vec<f32>,
    /// Where the positive pairs of each row go on.
    cursors: Vec<usize>,
}

impl Tile {
    /// t = log₂ e·A·Bᵀ of a tile.
    pub(super) fn fill(
        &mut self,
        factors: &Factors<'_>,
        rows: Range<usize>,
        columns: Range<usize>,
    ) {
        self.rows = rows.len();
        self.columns = columns.len();
        self.pitch = factors.across.padded(columns.len());
        self.x.resize(self.rows * self.pitch, 0.0);
        let (left, d) = (factors.rows(rows), factors.a.width);
        Arch::new().dispatch(Fill { tile: self, left, d, across: &factors.across, columns });
    }

    /// Replaces it by the derivative and adds the objective of each row where that is wanted. Tiles of
    /// the same rows must follow each other from left to right, after [`Self::begin`].
    pub(super) fn derive(
        &mut self,
        terms: &Terms<'_>,
        rows: Range<usize>,
        columns: Range<usize>,
        mut values: Option<&mut [f64]>,
    ) {
        let q = &terms.q[columns.clone()];
        self.counts.resize(columns.len(), 0.0);
        self.spare.resize(columns.len(), 0.0);
        let tile = self.x.chunks_exact_mut(self.pitch).zip(&mut self.cursors);
        for (r, (i, (t, cursor))) in rows.zip(tile).enumerate() {
            let (of_row, counts) = terms.positives.row(i);
            self.counts.fill(0.0);
            for (&j, &count) in of_row[*cursor..].iter().zip(&counts[*cursor..]) {
                let Some(place) = self.counts.get_mut(j as usize - columns.start) else { break };
                *place = count;
                *cursor += 1;
            }
            let (t, b) = (&mut t[..columns.len()], terms.b[i]);
            let row = Row { t, b, q, counts: &self.counts, spare: &mut self.spare };
            match &mut values {
                Some(values) => values[r] += derive(row, Value::Wanted),
                None => _ = derive(row, Value::Unwanted),
            }
        }
    }

    /// Sets the cursors of these rows to the first pair from column `from` on.
    pub(super) fn begin(&mut self, terms: &Terms<'_>, rows: Range<usize>, from: usize) {
        let first = |i| terms.positives.row(i).0.partition_point(|&j| (j as usize) < from);
        self.cursors.clear();
        self.cursors.extend(rows.map(first));
    }

    /// Adds T·R of the tile.
    pub(super) fn add_product(&self, right: &Packed, columns: Range<usize>, sums: &mut [f32]) {
        let (tile, height, transposed) = (self, self.rows, false);
        let product = Product { tile, height, transposed, factor: right, depth: columns, sums };
        Arch::new().dispatch(product);
    }

    /// Adds Tᵀ·L of the tile.
    pub(super) fn add_transposed_product(
        &self,
        left: &Packed,
        rows: Range<usize>,
        sums: &mut [f32],
    ) {
        let (tile, height, transposed) = (self, self.columns, true);
        let product = Product { tile, height, transposed, factor: left, depth: rows, sums };
        Arch::new().dispatch(product);
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

/// T·R or Tᵀ·L.
struct Product<'a> {
    tile: &'a Tile,
    /// Rows of the result: those of the tile, or its columns.
    height: usize,
    transposed: bool,
    factor: &'a Packed,
    /// Rows of the factor that meet the tile.
    depth: Range<usize>,
    sums: &'a mut [f32],
}

impl WithSimd for Product<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { tile, height, transposed, factor, depth, sums } = self;
        let (width, pitch) = (factor.width(), tile.pitch);
        for panel in factor.panels(0..width, depth.clone()) {
            for first in (0..height).step_by(micro::ROWS) {
                let left = match transposed {
                    false => Left::Rows(&tile.x[first * pitch..], pitch),
                    true => Left::Columns(&tile.x[first..], pitch),
                };
                let (out, depth) = (&mut sums[first * width..], depth.len());
                with_rows!(height - first, R => multiply::<S, R>(
                    simd, depth, left, panel, (out, width), Store::Add));
            }
        }
    }
}
