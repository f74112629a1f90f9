//! Hidden states as both methods read them.

use std::ops::Range;

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis};

use super::blocks::{Block, HIDDEN, Method};
use super::merged::Merged;
use super::tiled::Tiled;
use crate::TtShape;
use crate::lookup::adjoint::Adjoint;
use crate::lookup::packed::Packed;

/// Some hidden states, `[n, D]`, ready for one method.
pub(super) enum Hidden<'a> {
    Merged(Merged<'a>),
    Tiled(Tiled<'a>),
}

/// What a part of a backward pass adds up.
pub(super) struct Sums<'a> {
    /// Of the hidden states as the method has them.
    pub(super) hidden: Array2<f32>,
    pub(super) cores: Adjoint<'a>,
}

impl<'a> Hidden<'a> {
    pub(super) fn new(method: Method, cores: &'a Packed<'a>, hidden: ArrayView2<'a, f32>) -> Self {
        match method {
            Method::Merged => Self::Merged(Merged::new(cores, hidden)),
            Method::Tiled => Self::Tiled(Tiled::new(cores, hidden)),
        }
    }

    /// The logits of a block, `[n, rows]`.
    pub(super) fn logits(
        &self,
        block: &Block,
        scratch: &mut Scratch,
        logits: ArrayViewMut2<'_, f32>,
    ) {
        match self {
            Self::Merged(hidden) => hidden.logits(block, scratch, logits),
            Self::Tiled(hidden) => hidden.logits(block, scratch, logits),
        }
    }

    /// Adds what derivatives of the logits of a block give, after [`logits`](Self::logits) of that block with
    /// the same scratch.
    pub(super) fn backward(
        &self,
        block: &Block,
        scratch: &mut Scratch,
        grad: ArrayView2<'_, f32>,
        sums: &mut Sums<'_>,
    ) {
        match self {
            Self::Merged(hidden) => hidden.backward(block, scratch, grad, sums),
            Self::Tiled(hidden) => hidden.backward(block, scratch, grad, sums),
        }
    }

    /// Sums of nothing.
    pub(super) fn sums(&self, cores: &'a Packed<'a>) -> Sums<'a> {
        let shape = match self {
            Self::Merged(hidden) => hidden.dim(),
            Self::Tiled(hidden) => hidden.dim(),
        };
        Sums { hidden: Array2::zeros(shape), cores: Adjoint::new(cores) }
    }

    /// The gradient of the hidden states, `[n, D]`, from that of what the method has.
    pub(super) fn finish(&self, sums: Array2<f32>) -> Array2<f32> {
        match self {
            Self::Merged(hidden) => hidden.finish(sums),
            Self::Tiled(_) => sums,
        }
    }
}

/// Memory of one thread.
#[derive(Default)]
pub(super) struct Scratch {
    pub(super) left: Vec<f32>,
    pub(super) product: Vec<f32>,
    pub(super) grad: Vec<f32>,
}

/// A vector's first `len` values, which are made where they are missing.
pub(super) fn sized(values: &mut Vec<f32>, len: usize) -> &mut [f32] {
    if values.len() < len {
        values.resize(len, 0.0);
    }
    &mut values[..len]
}

/// The rows of `hidden` some at a time.
pub(super) fn chunks<'a>(
    hidden: ArrayView2<'a, f32>,
) -> impl Iterator<Item = (Range<usize>, ArrayView2<'a, f32>)> {
    let n = hidden.nrows();
    (0..n).step_by(HIDDEN).map(move |start| {
        let range = start..(start + HIDDEN).min(n);
        let (_, rest) = hidden.split_at(Axis(0), range.start);
        (range.clone(), rest.split_at(Axis(0), range.len()).0)
    })
}

/// Hidden states as a matrix.
///
/// # Panics
/// If they are not as long as the table's rows.
pub(super) fn matrix<'a>(shape: &TtShape, hidden: &'a [f32]) -> ArrayView2<'a, f32> {
    let d = shape.d_embed();
    assert_eq!(hidden.len() % d, 0, "hidden states as long as rows");
    ArrayView2::from_shape((hidden.len() / d, d), hidden).expect("whole rows")
}
