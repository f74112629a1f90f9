//! Cores in the order in which kernels read them.

use std::borrow::Cow;
use std::sync::OnceLock;

use crate::TtShape;

/// The slices of all cores: those of the last one as `[r_0, r_{d−1}, J_d]`, all others as
/// `[r_{k−1}, J_k, r_k]`, which is how they are stored.
pub(crate) struct Packed<'a> {
    shape: &'a TtShape,
    values: &'a [f32],
    starts: Vec<usize>,
    /// The last core: for a train, as it is stored.
    last: Cow<'a, [f32]>,
    /// The last core with slices `[r_0, J_d, r_{d−1}]`, once a gradient asks for it.
    across: OnceLock<Vec<f32>>,
}

impl<'a> Packed<'a> {
    /// # Panics
    /// If the values are not as many as the shape's parameters.
    pub(crate) fn new(shape: &'a TtShape, values: &'a [f32]) -> Self {
        assert_eq!(values.len(), shape.parameters(), "the cores of the shape");
        let starts = (0..shape.cores()).map(|k| shape.core_range(k).start).collect();
        let last = &values[shape.core_range(shape.cores() - 1)];
        let last = if shape.is_ring() { Cow::Owned(ring_first(shape, last)) } else { last.into() };
        Self { shape, values, starts, last, across: OnceLock::new() }
    }

    pub(crate) fn shape(&self) -> &'a TtShape {
        self.shape
    }

    /// Where core k begins among all numbers.
    #[inline(always)]
    pub(crate) fn start(&self, k: usize) -> usize {
        self.starts[k]
    }

    /// The whole last core, `[I_d, r_0, r_{d−1}, J_d]`.
    pub(crate) fn last(&self) -> &[f32] {
        &self.last
    }

    /// A slice of the last core, `[r_0, J_d, r_{d−1}]`: that of [`slice`](Self::slice), transposed.
    #[inline(always)]
    pub(crate) fn across(&self, digit: usize) -> &[f32] {
        let [_, left, columns, ring] = self.shape.core(self.shape.cores() - 1);
        let across = self.across.get_or_init(|| {
            let mut values = Vec::with_capacity(self.last.len());
            for block in self.last.chunks_exact(left * columns) {
                for column in 0..columns {
                    values.extend(block.iter().skip(column).step_by(columns));
                }
            }
            values
        });
        let len = left * columns * ring;
        &across[digit * len..][..len]
    }

    /// Slice i_k of core k, counted from 0.
    #[inline(always)]
    pub(crate) fn slice(&self, k: usize, digit: usize) -> &[f32] {
        let [_, left, columns, right] = self.shape.core(k);
        let len = left * columns * right;
        if k + 1 == self.shape.cores() {
            &self.last[digit * len..][..len]
        } else {
            &self.values[self.starts[k] + digit * len..][..len]
        }
    }
}

/// The last core of a ring, slices `[r_{d−1}, J_d, r_0]` → `[r_0, r_{d−1}, J_d]`.
fn ring_first(shape: &TtShape, last: &[f32]) -> Vec<f32> {
    let [_, left, columns, ring] = shape.core(shape.cores() - 1);
    let mut values = Vec::with_capacity(last.len());
    for slice in last.chunks_exact(left * columns * ring) {
        for a in 0..ring {
            values.extend(slice.iter().skip(a).step_by(ring));
        }
    }
    values
}

/// The way back, in place.
pub(crate) fn ring_last(shape: &TtShape, last: &mut [f32]) {
    let [_, left, columns, ring] = shape.core(shape.cores() - 1);
    let len = left * columns * ring;
    for slice in last.chunks_exact_mut(len) {
        let old = slice.to_vec();
        for (i, value) in slice.iter_mut().enumerate() {
            *value = old[i % ring * (left * columns) + i / ring];
        }
    }
}
