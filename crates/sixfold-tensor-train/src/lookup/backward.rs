//! The gradient of the cores.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::Plan;
use super::chain::{Chain, prefix_len};
use super::micro::{Left, To, product, product_across};
use super::packed::{Packed, ring_last};
use crate::TtShape;

/// The most parts of a batch that have a gradient of their own.
const PARTS: usize = 16;

/// Numbers of a task that adds the parts.
const ADDED: usize = 1 << 14;

/// The gradient of the cores, laid out like them, for that of the rows, `[n, D]`.
///
/// Gradients of one id are added first, then those of one prefix. The batch is split into parts by its
/// sizes alone, and their gradients are added in order: threads change no bit.
///
/// # Panics
/// If the cores are not those of the shape, the plan is for a larger table, or `grad` is no `[n, D]`.
///
/// # Complexity
/// With U different ids of P prefixes: twice the operations of [`forward`](super::forward()), and as much
/// once more for prefixes; memory for at most U·D + P·J_1⋯J_{d−1}·r_{d−1} numbers and the result.
pub fn backward(shape: &TtShape, cores: &[f32], plan: &Plan, grad: &[f32]) -> Vec<f32> {
    assert_eq!(grad.len(), plan.len() * shape.d_embed(), "a gradient for each id");
    let cores = Packed::new(shape, cores);
    let ids = plan.unique().len();
    let budget = ids * shape.d_embed()
        + plan.prefixes(shape) * prefix_len(&cores, shape.cores() - 2)
        + shape.parameters();
    let parts = (budget / shape.parameters()).clamp(1, PARTS).min(ids.max(1));
    let each = ids.div_ceil(parts).max(1);
    let of_part = |part: usize| {
        let places = (part * each).min(ids)..((part + 1) * each).min(ids);
        Arch::new().dispatch(Part { cores: &cores, plan, places, grad })
    };
    let gradients = (0..parts).into_par_iter().map(of_part).collect();
    finished(shape, added(gradients))
}

/// The gradient of some of a plan's different ids.
struct Part<'a> {
    cores: &'a Packed<'a>,
    plan: &'a Plan,
    places: Range<usize>,
    grad: &'a [f32],
}

impl WithSimd for Part<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
        let mut adjoint = Adjoint::new(self.cores);
        let d = adjoint.row.len();
        for place in self.places {
            adjoint.go(simd, self.plan.unique()[place] as usize);
            let (first, others) =
                self.plan.positions(place).split_first().expect("an id stands somewhere");
            adjoint.row.copy_from_slice(&self.grad[*first as usize * d..][..d]);
            for position in others {
                let grad = &self.grad[*position as usize * d..][..d];
                adjoint.row.iter_mut().zip(grad).for_each(|(sum, grad)| *sum += grad);
            }
            adjoint.add_row(simd);
        }
        adjoint.leave(simd, 0);
        adjoint.gradient
    }
}

/// The sum of some vectors of one length, in their order.
pub(crate) fn added(mut parts: Vec<Vec<f32>>) -> Vec<f32> {
    let mut sum = parts.remove(0);
    sum.par_chunks_mut(ADDED).enumerate().for_each(|(at, sum)| {
        for part in &parts {
            let part = &part[at * ADDED..][..sum.len()];
            sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
    });
    sum
}

/// A gradient of packed cores, laid out as the cores are stored.
pub(crate) fn finished(shape: &TtShape, mut gradient: Vec<f32>) -> Vec<f32> {
    if shape.is_ring() {
        ring_last(shape, &mut gradient[shape.core_range(shape.cores() - 1)]);
    }
    gradient
}

/// The derivatives with respect to what a [`Chain`] holds.
pub(crate) struct Adjoint<'a> {
    cores: &'a Packed<'a>,
    chain: Chain<&'a Packed<'a>>,
    /// Of P_1 … P_{d−1}, since their digits last changed.
    prefixes: Vec<Vec<f32>>,
    /// Of a row.
    row: Vec<f32>,
    /// Of the cores as [`Packed`] has them.
    gradient: Vec<f32>,
}

impl<'a> Adjoint<'a> {
    pub(crate) fn new(cores: &'a Packed<'a>) -> Self {
        let shape = cores.shape();
        let last = shape.cores() - 1;
        Self {
            cores,
            chain: Chain::new(cores),
            prefixes: (0..last).map(|k| vec![0.0; prefix_len(cores, k)]).collect(),
            row: vec![0.0; shape.d_embed()],
            gradient: vec![0.0; shape.parameters()],
        }
    }

    /// Goes to a row; the derivatives of what it does not share with the one before are handed on.
    #[inline(always)]
    fn go<S: Simd>(&mut self, simd: S, row: usize) {
        self.leave(simd, self.chain.first_change(row));
        self.chain.go(simd, row);
    }

    /// The gradient of the packed last core, to add to.
    pub(crate) fn of_last(&mut self) -> &mut [f32] {
        let start = self.cores.start(self.prefixes.len());
        &mut self.gradient[start..]
    }

    /// Adds the derivatives with respect to rows that rise.
    pub(crate) fn add_rows<'r>(&mut self, rows: impl Iterator<Item = (usize, &'r [f32])>) {
        Arch::new().dispatch(AddRows { adjoint: self, rows });
    }

    /// Calls `f` for each prefix with what the derivative with respect to it is to be added to.
    pub(crate) fn add_prefixes(&mut self, prefixes: Range<usize>, f: impl FnMut(&mut [f32])) {
        Arch::new().dispatch(AddPrefixes { adjoint: self, prefixes, f });
    }

    /// The gradient of the packed cores.
    pub(crate) fn into_gradient(mut self) -> Vec<f32> {
        Arch::new().dispatch(Leave(&mut self));
        self.gradient
    }

    /// Adds what the row gives the last core and the prefix.
    #[inline(always)]
    fn add_row<S: Simd>(&mut self, simd: S) {
        let shape = self.cores.shape();
        let last = shape.cores() - 1;
        let [_, left, columns, ring] = shape.core(last);
        let height = self.row.len() / columns;
        let digit = self.chain.digits()[last];
        let across = self.cores.across(digit);
        let start = self.cores.start(last) + digit * across.len();
        for a in 0..ring {
            let block = a * left * columns..(a + 1) * left * columns;
            let part = a * height * left..(a + 1) * height * left;
            let prefix = Left::Transposed(&self.chain.product(last - 1)[part.clone()]);
            let of_slice = &mut self.gradient[start..][block.clone()];
            product(simd, To::Add, prefix, &self.row, of_slice, [left, height, columns]);
            let across = &across[block];
            let of_prefix = &mut self.prefixes[last - 1][part];
            product(
                simd,
                To::Add,
                Left::Plain(&self.row),
                across,
                of_prefix,
                [height, columns, left],
            );
        }
    }

    /// Hands the derivatives of prefixes down to the cores whose digits change: core `changed` and those
    /// after it, but for the last.
    #[inline(always)]
    fn leave<S: Simd>(&mut self, simd: S, changed: usize) {
        let shape = self.cores.shape();
        for k in (changed..shape.cores() - 1).rev() {
            let digit = self.chain.digits()[k];
            let slice = self.cores.slice(k, digit);
            let start = self.cores.start(k) + digit * slice.len();
            let of_slice = &mut self.gradient[start..][..slice.len()];
            let (before, this) = self.prefixes.split_at_mut(k);
            let this = &mut this[0];
            match before.last_mut() {
                None => of_slice.iter_mut().zip(&**this).for_each(|(sum, this)| *sum += this),
                Some(before) => {
                    let [_, left, columns, right] = shape.core(k);
                    let (height, width) = (before.len() / left, columns * right);
                    let prefix = Left::Transposed(self.chain.product(k - 1));
                    product(simd, To::Add, prefix, this, of_slice, [left, height, width]);
                    product_across(simd, this, slice, before, [height, width, left]);
                }
            }
            this.fill(0.0);
        }
    }
}

struct AddRows<'s, 'a, I> {
    adjoint: &'s mut Adjoint<'a>,
    rows: I,
}

impl<'r, I: Iterator<Item = (usize, &'r [f32])>> WithSimd for AddRows<'_, '_, I> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (id, row) in self.rows {
            self.adjoint.go(simd, id);
            self.adjoint.row.copy_from_slice(row);
            self.adjoint.add_row(simd);
        }
    }
}

struct AddPrefixes<'s, 'a, F> {
    adjoint: &'s mut Adjoint<'a>,
    prefixes: Range<usize>,
    f: F,
}

impl<F: FnMut(&mut [f32])> WithSimd for AddPrefixes<'_, '_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let last = self.adjoint.prefixes.len();
        let rows = self.adjoint.cores.shape().rows()[last];
        for prefix in self.prefixes {
            self.adjoint.go(simd, prefix * rows);
            (self.f)(&mut self.adjoint.prefixes[last - 1]);
        }
    }
}

struct Leave<'s, 'a>(&'s mut Adjoint<'a>);

impl WithSimd for Leave<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.0.leave(simd, 0);
    }
}
