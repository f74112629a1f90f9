//! Sweeps on the CPU: tiles that stay in the second-level cache, panels dealt to threads.

use std::f32::consts::LOG2_E;
use std::ops::Range;

use ndarray::{Array2, ArrayView2, CowArray, Ix2};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::micro::{self, Left, Store, multiply, with_rows};
use super::packed::Packed;
use super::terms::Terms;
use super::tile::{Row, Value, derive};
use super::{Sweep, check};
use crate::{Objective, Result};

/// Rows of a tile.
pub(super) const ROWS: usize = 96;

/// Columns of a tile, which takes 144 KiB: a small second-level cache holds it beside the factors. A
/// multiple of what any panel has.
pub(super) const COLUMNS: usize = 384;

/// Exact sweeps in f32 on the threads of the rayon pool.
///
/// Results are the same to the last bit for any number of threads.
///
/// # Complexity
/// 4·n·m·d operations for one product and 6·n·m·d for both, nearly all at the rate of a matrix product;
/// memory for two packed factors, and a tile for each thread.
#[derive(Clone, Copy, Debug)]
pub struct HostSweep<'a> {
    terms: Terms<'a>,
    /// Whether the counts are their own transpose.
    symmetric: bool,
}

impl<'a> HostSweep<'a> {
    /// Sweeps of this objective.
    pub fn new(objective: &'a Objective) -> Self {
        let (b, q) = (objective.row_weights(), objective.column_weights());
        let counts = objective.counts();
        let terms = Terms { b, q, positives: counts.positives() };
        Self { terms, symmetric: counts.is_symmetric() }
    }

    /// Sweeps of these terms.
    pub(crate) fn of(terms: Terms<'a>) -> Self {
        Self { terms, symmetric: false }
    }
}

impl Sweep<f32> for HostSweep<'_> {
    fn shape(&self) -> [usize; 2] {
        [self.terms.b.len(), self.terms.q.len()]
    }

    fn rows(
        &self,
        a: ArrayView2<'_, f32>,
        b: ArrayView2<'_, f32>,
        right: ArrayView2<'_, f32>,
    ) -> Result<(f64, Array2<f32>)> {
        check(self.shape(), a, b, None, Some(right))?;
        let (values, product) = self.by_row(a, b, right);
        Ok((values.iter().sum(), product))
    }

    fn columns(
        &self,
        a: ArrayView2<'_, f32>,
        b: ArrayView2<'_, f32>,
        left: ArrayView2<'_, f32>,
    ) -> Result<Array2<f32>> {
        check(self.shape(), a, b, Some(left), None)?;
        if self.symmetric {
            // Gᵀ is the gradient of swapped roles, and its counts lie in the order of its tiles.
            let Terms { b: of_rows, q: of_columns, positives } = self.terms;
            let swapped = Self::of(Terms { b: of_columns, q: of_rows, positives });
            return Ok(swapped.by_row_with(b, a, left, Value::Unwanted).1);
        }
        let factors = Factors::new(a, b);
        let left = Packed::new(left, 1.0);
        let mut product = Array2::zeros((b.nrows(), left.columns()));
        panels(&mut product, COLUMNS).for_each_init(Tile::default, |tile, (columns, product)| {
            let mut sums = vec![0.0; columns.len() * left.width()];
            for rows in spans(0..a.nrows(), ROWS) {
                tile.begin(&self.terms, rows.clone(), columns.start);
                tile.fill(&factors, rows.clone(), columns.clone());
                tile.derive(&self.terms, rows.clone(), columns.clone(), None);
                tile.add_transposed_product(&left, rows, &mut sums);
            }
            left.unpad(&sums, product);
        });
        Ok(product)
    }

    fn both(
        &self,
        a: ArrayView2<'_, f32>,
        b: ArrayView2<'_, f32>,
        left: ArrayView2<'_, f32>,
        right: ArrayView2<'_, f32>,
    ) -> Result<(f64, Array2<f32>, Array2<f32>)> {
        check(self.shape(), a, b, Some(left), Some(right))?;
        Ok(self.in_one_sweep(&Factors::new(a, b), left, right))
    }
}

impl HostSweep<'_> {
    /// The objective of each row, and G·R.
    pub(crate) fn by_row(
        &self,
        a: ArrayView2<'_, f32>,
        b: ArrayView2<'_, f32>,
        right: ArrayView2<'_, f32>,
    ) -> (Vec<f64>, Array2<f32>) {
        self.by_row_with(a, b, right, Value::Wanted)
    }

    /// G·R alone: what benches measure the cost of the objective by.
    #[doc(hidden)]
    pub fn rows_without_value(
        &self,
        a: ArrayView2<'_, f32>,
        b: ArrayView2<'_, f32>,
        right: ArrayView2<'_, f32>,
    ) -> Result<Array2<f32>> {
        check(self.shape(), a, b, None, Some(right))?;
        Ok(self.by_row_with(a, b, right, Value::Unwanted).1)
    }

    fn by_row_with(
        &self,
        a: ArrayView2<'_, f32>,
        b: ArrayView2<'_, f32>,
        right: ArrayView2<'_, f32>,
        value: Value,
    ) -> (Vec<f64>, Array2<f32>) {
        let factors = Factors::new(a, b);
        let right = Packed::new(right, 1.0);
        let mut product = Array2::zeros((a.nrows(), right.columns()));
        let mut values = vec![0.0; a.nrows()];
        panels(&mut product, ROWS).zip(values.par_chunks_mut(ROWS)).for_each_init(
            Tile::default,
            |tile, ((rows, product), values)| {
                let mut sums = vec![0.0; rows.len() * right.width()];
                tile.begin(&self.terms, rows.clone(), 0);
                for columns in spans(0..b.nrows(), COLUMNS) {
                    tile.fill(&factors, rows.clone(), columns.clone());
                    let values = (value == Value::Wanted).then_some(&mut *values);
                    tile.derive(&self.terms, rows.clone(), columns.clone(), values);
                    tile.add_product(&right, columns, &mut sums);
                }
                right.unpad(&sums, product);
            },
        );
        (values, product)
    }

    pub(super) fn terms(&self) -> &Terms<'_> {
        &self.terms
    }
}

/// Panels of rows of a product, and which rows they are.
fn panels(
    product: &mut Array2<f32>,
    height: usize,
) -> impl IndexedParallelIterator<Item = (Range<usize>, &mut [f32])> {
    let (rows, columns) = product.dim();
    let values = product.as_slice_mut().expect("a new matrix is contiguous");
    values
        .par_chunks_mut((height * columns).max(1))
        .enumerate()
        .map(move |(i, panel)| (i * height..((i + 1) * height).min(rows), panel))
}

/// X = A·Bᵀ in the form in which tiles are made.
pub(super) struct Factors<'a> {
    a: CowArray<'a, f32, Ix2>,
    /// log₂ e·Bᵀ
    across: Packed,
}

impl<'a> Factors<'a> {
    pub(super) fn new(a: ArrayView2<'a, f32>, b: ArrayView2<'_, f32>) -> Self {
        let a = if a.is_standard_layout() {
            a.into()
        } else {
            a.as_standard_layout().into_owned().into()
        };
        Self { a, across: Packed::new(b.t(), LOG2_E) }
    }

    /// Rows of A, one after the other.
    fn rows(&self, rows: Range<usize>) -> &[f32] {
        let d = self.a.ncols();
        &self.a.as_slice().expect("the standard layout")[rows.start * d..rows.end * d]
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
        let (left, d) = (factors.rows(rows), factors.a.ncols());
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
        Arch::new().dispatch(Product { tile: self, right, depth: columns, sums });
    }

    /// Adds Tᵀ·L of the tile.
    pub(super) fn add_transposed_product(
        &self,
        left: &Packed,
        rows: Range<usize>,
        sums: &mut [f32],
    ) {
        Arch::new().dispatch(TransposedProduct { tile: self, left, depth: rows, sums });
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
    left: &'a Packed,
    depth: Range<usize>,
    sums: &'a mut [f32],
}

impl WithSimd for TransposedProduct<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { tile, left, depth, sums } = self;
        let width = left.width();
        for panel in left.panels(0..width, depth.clone()) {
            for first in (0..tile.columns).step_by(micro::ROWS) {
                let columns = &tile.x[first..];
                let out = &mut sums[first * width..];
                let depth = depth.len();
                with_rows!(tile.columns - first, R => multiply::<S, R>(
                    simd, depth, Left::Columns(columns, tile.pitch), panel, (out, width), Store::Add));
            }
        }
    }
}

/// A range in pieces.
pub(super) fn spans(range: Range<usize>, width: usize) -> impl Iterator<Item = Range<usize>> {
    let end = range.end;
    range.step_by(width).map(move |start| start..(start + width).min(end))
}
