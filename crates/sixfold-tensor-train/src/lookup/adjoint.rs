//! Derivatives along a walk, for heads: there every prefix is visited, and with it all of the table.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::chain::{Chain, prefix_len};
use super::micro::{Left, To, product, product_across};
use super::packed::Packed;

/// Adds what the derivative with respect to a row gives the packed last core, and the row's prefix.
#[inline(always)]
pub(super) fn add_row<S: Simd>(
    simd: S,
    cores: &Packed<'_>,
    [prefix, row]: [&[f32]; 2],
    digit: usize,
    of_last: &mut [f32],
    of_prefix: &mut [f32],
) {
    let shape = cores.shape();
    let [_, left, columns, ring] = shape.core(shape.cores() - 1);
    let height = row.len() / columns;
    let across = cores.across(digit);
    let of_slice = &mut of_last[digit * across.len()..];
    for a in 0..ring {
        let block = a * left * columns..(a + 1) * left * columns;
        let part = a * height * left..(a + 1) * height * left;
        let prefix = Left::Transposed(&prefix[part.clone()]);
        let of_slice = &mut of_slice[block.clone()];
        product(simd, To::Add, prefix, row, of_slice, [left, height, columns]);
        let of_prefix = &mut of_prefix[part];
        let sizes = [height, columns, left];
        product(simd, To::Add, Left::Plain(row), &across[block], of_prefix, sizes);
    }
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
        let last = self.prefixes.len();
        let digit = self.chain.digits()[last];
        let prefix = self.chain.product(last - 1);
        let start = self.cores.start(last);
        add_row(
            simd,
            self.cores,
            [prefix, &self.row],
            digit,
            &mut self.gradient[start..],
            &mut self.prefixes[last - 1],
        );
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
