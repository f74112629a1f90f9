//! Sizes and places: where heads, tiles and their biases lie, and the weights of one tile.

use ndarray::{ArrayView2, ArrayViewMut2, Axis, ShapeBuilder};
use sixfold_linalg::{Threads, matmul_into};

use super::super::AttentionForm;
use crate::ops::dropout::scale;
use crate::ops::host::{exp, max, simd, sum};

/// Queries of a tile.
pub(super) const TILE: usize = 64;

/// Sizes, and the bias of each key.
pub(super) struct Plan<'a> {
    pub(super) form: AttentionForm,
    pub(super) batch: usize,
    pub(super) queries: usize,
    pub(super) keys: usize,
    pub(super) d_head: usize,
    pub(super) bias: &'a [f32],
    /// Rows and heads of the bias.
    pub(super) bias_dims: [usize; 2],
}

/// Queries `first..first + len` of head `head` in row `row`.
#[derive(Clone, Copy)]
pub(super) struct Tile {
    pub(super) row: usize,
    pub(super) head: usize,
    pub(super) first: usize,
    pub(super) len: usize,
}

impl Plan<'_> {
    /// Features of all query heads, and of all key heads.
    pub(super) fn widths(&self) -> [usize; 2] {
        [self.form.n_heads, self.form.n_kv_heads].map(|heads| heads * self.d_head)
    }

    fn key_head(&self, head: usize) -> usize {
        head / self.form.group()
    }

    /// The bias of the keys, as a head of a row has it.
    fn bias(&self, tile: Tile) -> &[f32] {
        let [rows, heads] = self.bias_dims;
        let row = if rows == 1 { 0 } else { tile.row };
        let head = if heads == 1 { 0 } else { tile.head };
        &self.bias[(row * heads + head) * self.keys..][..self.keys]
    }

    /// One head of a row as a matrix: `values` is `[batch, len, heads · d_head]`.
    fn head<'v>(
        &self,
        values: &'v [f32],
        len: usize,
        heads: usize,
        row: usize,
        head: usize,
    ) -> ArrayView2<'v, f32> {
        let width = heads * self.d_head;
        let from = row * len * width + head * self.d_head;
        let shape = (len, self.d_head).strides((width, 1));
        ArrayView2::from_shape(shape, &values[from.min(values.len())..])
            .expect("a head within its tensor")
    }

    pub(super) fn keys_of<'v>(&self, values: &'v [f32], tile: Tile) -> ArrayView2<'v, f32> {
        let head = self.key_head(tile.head);
        self.head(values, self.keys, self.form.n_kv_heads, tile.row, head)
    }

    pub(super) fn queries_of<'v>(&self, values: &'v [f32], tile: Tile) -> ArrayView2<'v, f32> {
        let all = self.head(values, self.queries, self.form.n_heads, tile.row, tile.head);
        all.split_at(Axis(0), tile.first).1.split_at(Axis(0), tile.len).0
    }

    /// Keys that some query of the tile may see come before this one.
    pub(super) fn end(&self, tile: Tile) -> usize {
        self.form.visible(tile.first + tile.len - 1, self.keys).end
    }

    /// softmax(scale·q·kᵀ + bias) of a tile, `[len, end]` in `p`; rows that see no key are zero.
    pub(super) fn probabilities(&self, q: &[f32], k: &[f32], tile: Tile, p: &mut [f32]) {
        let end = self.end(tile);
        if end == 0 {
            return;
        }
        let keys = self.keys_of(k, tile).split_at(Axis(0), end).0;
        let scale = self.form.scale as f32;
        product(scale, self.queries_of(q, tile), keys.reversed_axes(), 0.0, p);
        let bias = self.bias(tile);
        simd(
            #[inline(always)]
            || {
                for (i, row) in p.chunks_exact_mut(end).enumerate() {
                    let seen = self.form.visible(tile.first + i, self.keys);
                    row[..seen.start].fill(0.0);
                    row[seen.end..].fill(0.0);
                    softmax(&mut row[seen.clone()], &bias[seen]);
                }
            },
        );
    }

    /// Dropout of the weights of a tile, `[len, end]`.
    pub(super) fn drop_out(&self, tile: Tile, end: usize, p: &mut [f32]) {
        let Some(mask) = self.form.dropout else { return };
        let row = (tile.row * self.form.n_heads + tile.head) * self.queries + tile.first;
        simd(
            #[inline(always)]
            || {
                for (i, p) in p.chunks_exact_mut(end).enumerate() {
                    scale(p, ((row + i) * self.keys) as u32, &mask);
                }
            },
        );
    }
}

/// row ← softmax(row + bias); zeros where all of the bias is −∞.
#[inline(always)]
fn softmax(row: &mut [f32], bias: &[f32]) {
    for (value, bias) in row.iter_mut().zip(bias) {
        *value += bias;
    }
    let largest = max(row);
    if largest == f32::NEG_INFINITY {
        // Hidden as a whole; NaN is no number for `max`, but must show.
        row.iter_mut().for_each(|value| *value = if value.is_nan() { *value } else { 0.0 });
        return;
    }
    for value in row.iter_mut() {
        *value = exp(*value - largest);
    }
    let factor = 1.0
        / sum(
            row,
            #[inline(always)]
            |x| x,
        );
    for value in row {
        *value *= factor;
    }
}

/// out ← alpha·a·b + beta·out on the calling thread; `out` in row-major order.
pub(super) fn product(
    alpha: f32,
    a: ArrayView2<'_, f32>,
    b: ArrayView2<'_, f32>,
    beta: f32,
    out: &mut [f32],
) {
    let shape = (a.nrows(), b.ncols());
    let out = ArrayViewMut2::from_shape(shape, out).expect("a buffer of the product's size");
    matmul_into(alpha, a, b, beta, out, Threads::ONE);
}

/// The values as a matrix of `width` columns.
pub(super) fn matrix(values: &[f32], width: usize) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((values.len() / width, width), values).expect("whole rows")
}
