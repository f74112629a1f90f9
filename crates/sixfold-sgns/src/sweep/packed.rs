//! A factor in the order in which the products of a sweep read it.

use std::ops::Range;

use ndarray::{Array2, ArrayView2};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Floats in a vector register of this machine.
pub(super) fn lanes() -> usize {
    struct Lanes;
    impl WithSimd for Lanes {
        type Output = usize;
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> usize {
            S::F32_LANES
        }
    }
    Arch::new().dispatch(Lanes)
}

/// A matrix `[depth, width]` in panels of columns, each `[depth, two registers]`; the last may be one
/// register wide. What is missing at the right is 0.
///
/// The values may be scaled. A product then reads it from front to back. Packing costs n·d once a sweep, where a general product
/// would pack again for every tile.
#[derive(Debug)]
pub(super) struct Packed {
    values: Vec<f32>,
    depth: usize,
    lanes: usize,
    columns: usize,
}

/// A panel: its rows are consecutive.
#[derive(Clone, Copy)]
pub(super) struct Panel<'a> {
    /// The first column.
    pub(super) start: usize,
    /// `[depth, width]`.
    pub(super) values: &'a [f32],
    pub(super) width: usize,
}

impl Packed {
    /// Packs a matrix, scaled.
    pub(super) fn new(matrix: ArrayView2<'_, f32>, scale: f32) -> Self {
        let (depth, columns) = matrix.dim();
        let lanes = lanes();
        let registers = columns.div_ceil(lanes);
        let mut values = vec![0.0; depth * registers * lanes];
        values.par_chunks_mut((depth * 2 * lanes).max(1)).enumerate().for_each(|(i, panel)| {
            let start = i * 2 * lanes;
            let width = panel.len().checked_div(depth).unwrap_or(0);
            let end = (start + width).min(columns);
            for (row, of_panel) in
                matrix.rows().into_iter().zip(panel.chunks_exact_mut(width.max(1)))
            {
                for (to, from) in of_panel.iter_mut().zip(row.slice(ndarray::s![start..end])) {
                    *to = *from * scale;
                }
            }
        });
        Self { values, depth, lanes, columns }
    }

    /// Columns of the matrix.
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// Columns with the padding.
    pub(super) fn width(&self) -> usize {
        self.padded(self.columns)
    }

    /// A whole product without the padding.
    pub(super) fn unpadded(&self, padded: &[f32]) -> Array2<f32> {
        let rows = padded.len() / self.width().max(1);
        let mut product = Array2::zeros((rows, self.columns));
        self.unpad(padded, product.as_slice_mut().expect("a new matrix is contiguous"));
        product
    }

    /// Copies rows with the padding to rows without.
    pub(super) fn unpad(&self, padded: &[f32], rows: &mut [f32]) {
        let pairs = rows.chunks_exact_mut(self.columns).zip(padded.chunks_exact(self.width()));
        pairs.for_each(|(to, from)| to.copy_from_slice(&from[..self.columns]));
    }

    /// That many columns with the padding.
    pub(super) fn padded(&self, columns: usize) -> usize {
        columns.next_multiple_of(self.lanes)
    }

    /// The panels of some columns, beginning and ending at whole panels (or at the last column), with
    /// the rows `from..to`.
    pub(super) fn panels(
        &self,
        columns: Range<usize>,
        rows: Range<usize>,
    ) -> impl Iterator<Item = Panel<'_>> {
        let pair = 2 * self.lanes;
        debug_assert_eq!(columns.start % pair, 0);
        (columns.start / pair..columns.end.div_ceil(pair)).map(move |i| {
            let width = pair.min(self.width() - i * pair);
            let at = i * pair * self.depth;
            let values = &self.values[at + rows.start * width..at + rows.end * width];
            Panel { start: i * pair, values, width }
        })
    }
}
