//! Blocks of rows, built and multiplied.

use ndarray::{ArrayView2, ArrayViewMut2};
use sixfold_linalg::{Threads, matmul_into};

use super::blocks::Block;
use super::hidden::{Scratch, Sums, sized};
use crate::lookup::packed::Packed;
use crate::lookup::walk;

/// Hidden states as they are.
pub(super) struct Tiled<'a> {
    cores: &'a Packed<'a>,
    hidden: ArrayView2<'a, f32>,
}

impl<'a> Tiled<'a> {
    pub(super) fn new(cores: &'a Packed<'a>, hidden: ArrayView2<'a, f32>) -> Self {
        Self { cores, hidden }
    }

    pub(super) fn dim(&self) -> (usize, usize) {
        self.hidden.dim()
    }

    pub(super) fn logits(
        &self,
        block: &Block,
        scratch: &mut Scratch,
        logits: ArrayViewMut2<'_, f32>,
    ) {
        let d = self.hidden.ncols();
        let table = sized(&mut scratch.left, block.rows.len() * d);
        let rows = block.rows.clone().zip(table.chunks_exact_mut(d));
        walk::rows(self.cores, rows);
        let table = view(table, [block.rows.len(), d]);
        matmul_into(1.0, self.hidden, table.t(), 0.0, logits, Threads::ONE);
    }

    pub(super) fn backward(
        &self,
        block: &Block,
        scratch: &mut Scratch,
        grad: ArrayView2<'_, f32>,
        sums: &mut Sums<'_>,
    ) {
        let (rows, d) = (block.rows.len(), self.hidden.ncols());
        let table = view(&scratch.left[..rows * d], [rows, d]);
        matmul_into(1.0, grad, table, 1.0, sums.hidden.view_mut(), Threads::ONE);
        let of_table = sized(&mut scratch.grad, rows * d);
        let into = ArrayViewMut2::from_shape((rows, d), &mut *of_table).expect("rows·d values");
        matmul_into(1.0, grad.t(), self.hidden, 0.0, into, Threads::ONE);
        sums.cores.add_rows(block.rows.clone().zip(of_table.chunks_exact(d)));
    }
}

/// Values as a matrix.
pub(super) fn view(values: &[f32], shape: [usize; 2]) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape(shape, values).expect("as many values as the shape says")
}
