//! Sweeps on the CPU: tiles that stay in the second-level cache, panels dealt to threads.

use std::ops::Range;

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use super::packed::Packed;
use super::row::Value;
use super::terms::Terms;
use super::tile::{Factors, Tile};
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

/// A range in pieces.
pub(super) fn spans(range: Range<usize>, width: usize) -> impl Iterator<Item = Range<usize>> {
    let end = range.end;
    range.step_by(width).map(move |start| start..(start + width).min(end))
}
