//! Both products in one sweep on the CPU.

use std::ops::Range;

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use super::host::{COLUMNS, HostSweep, ROWS, spans};
use super::packed::Packed;
use super::terms::Terms;
use super::tile::{Factors, Tile};

/// Most blocks on a side: what as many threads can work on at once.
const BLOCKS: usize = 64;

/// A range of rows or columns, and its part of a product.
struct Part<'a> {
    range: Range<usize>,
    sums: &'a mut [f32],
}

impl HostSweep<'_> {
    /// F(X), G·R and Gᵀ·L.
    ///
    /// The matrix is cut into g×g blocks, and in each of g rounds every row of blocks meets another
    /// column of blocks: no sum has two writers, and its order depends on nothing but the shape.
    pub(super) fn in_one_sweep(
        &self,
        factors: &Factors<'_>,
        left: ArrayView2<'_, f32>,
        right: ArrayView2<'_, f32>,
    ) -> (f64, Array2<f32>, Array2<f32>) {
        let (n, m) = (left.nrows(), right.nrows());
        let (left, right) = (Packed::new(left, 1.0), Packed::new(right, 1.0));
        let mut of_rows = vec![0.0; n * right.width()];
        let mut of_columns = vec![0.0; m * left.width()];
        let blocks = (n / ROWS).min(m / COLUMNS).clamp(1, BLOCKS);
        // Columns begin where panels do.
        let width = m.div_ceil(blocks).next_multiple_of(COLUMNS / 2);
        let mut rows = parts(&mut of_rows, n, right.width(), n.div_ceil(blocks));
        let mut columns = parts(&mut of_columns, m, left.width(), width);
        let rounds = rows.len().max(columns.len());
        for parts in [&mut rows, &mut columns] {
            parts.resize_with(rounds, || Part { range: 0..0, sums: &mut [] });
        }

        let mut value = 0.0;
        for _ in 0..rounds {
            let met = rows.par_iter_mut().zip(&mut columns);
            let values: Vec<f64> = met
                .map_init(Tile::default, |tile, (rows, columns)| {
                    block(self.terms(), factors, (&left, &right), tile, rows, columns)
                })
                .collect();
            value += values.iter().sum::<f64>();
            columns.rotate_left(1);
        }
        (value, right.unpadded(&of_rows), left.unpadded(&of_columns))
    }
}

/// The parts of a product, each of so many of its rows.
fn parts(sums: &mut [f32], rows: usize, width: usize, height: usize) -> Vec<Part<'_>> {
    let parts = sums.chunks_mut((height * width).max(1)).enumerate();
    let part =
        |(i, sums): (usize, _)| Part { range: i * height..((i + 1) * height).min(rows), sums };
    parts.map(part).collect()
}

/// All tiles of a block; returns its objective.
fn block(
    terms: &Terms<'_>,
    factors: &Factors<'_>,
    (left, right): (&Packed, &Packed),
    tile: &mut Tile,
    rows: &mut Part<'_>,
    columns: &mut Part<'_>,
) -> f64 {
    let within = |part: &Range<usize>, span: Range<usize>, width: usize| {
        (span.start - part.start) * width..(span.end - part.start) * width
    };
    let mut values = [0.0; ROWS];
    for of_rows in spans(rows.range.clone(), ROWS) {
        tile.begin(terms, of_rows.clone(), columns.range.start);
        for of_columns in spans(columns.range.clone(), COLUMNS) {
            tile.fill(factors, of_rows.clone(), of_columns.clone());
            tile.derive(terms, of_rows.clone(), of_columns.clone(), Some(&mut values));
            let at = within(&rows.range, of_rows.clone(), right.width());
            tile.add_product(right, of_columns.clone(), &mut rows.sums[at]);
            let at = within(&columns.range, of_columns, left.width());
            tile.add_transposed_product(left, of_rows.clone(), &mut columns.sums[at]);
        }
    }
    values.iter().sum()
}
