//! What is left of the table between the cores that were split off.

use ndarray::{ArrayView2, s};
use rayon::prelude::*;
use sixfold_linalg::Real;

use super::unfolding::{BLOCK, End, Unfolding, narrow, products, view};

/// Columns of a task of a projection.
const STRIP: usize = 256;

/// A tensor `[r_l, I_l·J_l, …, I_m·J_m, r_m]`, row-major, with r_l and r_m those of the bonds at its ends.
pub(super) struct Carry {
    pub(super) values: Vec<f32>,
}

impl Carry {
    /// So many zeros.
    pub(super) fn zeros(len: usize) -> Self {
        Self { values: vec![0.0; len] }
    }

    /// The unfolding whose rows, `side` of them, are at an end.
    pub(super) fn unfolding(&self, end: End, side: usize) -> CarryUnfolding<'_> {
        CarryUnfolding { values: &self.values, side, end }
    }
}

/// An unfolding of a carry: `[side, width]` as it lies at the first end, transposed at the last.
pub(super) struct CarryUnfolding<'a> {
    values: &'a [f32],
    side: usize,
    end: End,
}

impl Unfolding for CarryUnfolding<'_> {
    fn side(&self) -> usize {
        self.side
    }

    fn width(&self) -> usize {
        self.values.len() / self.side
    }

    fn blocks<T: Real>(&self, mut f: impl FnMut(usize, ArrayView2<'_, T>)) {
        let whole = view(self.values, self.side, self.end);
        let width = self.width();
        let mut buffer = vec![T::zero(); self.side * BLOCK.min(width)];
        for start in (0..width).step_by(BLOCK) {
            let count = BLOCK.min(width - start);
            let from = whole.slice(s![.., start..start + count]);
            let block = &mut buffer[..self.side * count];
            // Along what lies together.
            let (lines, len) = match self.end {
                End::First => (from, count),
                End::Last => (from.reversed_axes(), self.side),
            };
            let tasks = block.par_chunks_mut(len).zip(lines.outer_iter().into_par_iter());
            tasks.for_each(|(to, from)| {
                to.iter_mut().zip(from).for_each(|(to, x)| *to = T::narrow(x.widen()));
            });
            f(start, view(block, self.side, self.end));
        }
    }

    fn project<T: Real>(&self, basis: ArrayView2<'_, T>) -> Carry {
        let (rank, width) = (basis.ncols(), self.width());
        let mut carry = Carry::zeros(rank * width);
        self.blocks(|start, block| {
            let strips = products(block, basis, self.end, STRIP);
            for (at, strip) in strips.iter().enumerate() {
                let first = start + at * STRIP;
                for (row, values) in strip.rows().into_iter().enumerate() {
                    let to = match self.end {
                        End::First => row * width + first,
                        End::Last => (first + row) * rank,
                    };
                    let values = values.to_slice().expect("a product has rows");
                    narrow(&mut carry.values[to..][..values.len()], values);
                }
            }
        });
        carry
    }
}
