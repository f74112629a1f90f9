//! The walk along ascending ids, with the products that they share.

use std::ops::Deref;

use pulp::Simd;

use super::micro::{Left, To, product};
use super::packed::Packed;

/// The prefixes of the current row: P_k = G_1[i_1]⋯G_k[i_k], `[r_0, J_1⋯J_k, r_k]`, for 1 ≤ k < d.
pub(crate) struct Chain<C> {
    cores: C,
    /// P_2 … P_{d−1}; P_1 is a slice of the first core.
    products: Vec<Vec<f32>>,
    digits: Vec<usize>,
    /// The row divided by I_d, of which the products are.
    prefix: Option<usize>,
}

impl<'a, C: Deref<Target = Packed<'a>>> Chain<C> {
    pub(crate) fn new(cores: C) -> Self {
        let shape = cores.shape();
        let products = (1..shape.cores() - 1).map(|k| vec![0.0; prefix_len(&cores, k)]).collect();
        Self { cores, products, digits: vec![0; shape.cores()], prefix: None }
    }

    /// The digits of the current row.
    #[inline(always)]
    pub(crate) fn digits(&self) -> &[usize] {
        &self.digits
    }

    /// P_k, counted from 0.
    #[inline(always)]
    pub(crate) fn product<'s>(&'s self, k: usize) -> &'s [f32]
    where
        'a: 's,
    {
        match k {
            0 => self.cores.slice(0, self.digits[0]),
            _ => &self.products[k - 1],
        }
    }

    /// The first core, below the last, whose digit another row changes; the last where none does. At the
    /// start there is none to leave.
    #[inline(always)]
    pub(crate) fn first_change(&self, row: usize) -> usize {
        let rows = self.cores.shape().rows();
        let last = rows.len() - 1;
        let prefix = row / rows[last];
        match self.prefix {
            None => last,
            Some(this) if this == prefix => last,
            Some(mut this) => {
                let mut other = prefix;
                let mut changed = last;
                for k in (0..last).rev() {
                    if this != other {
                        changed = k;
                    }
                    (this, other) = (this / rows[k], other / rows[k]);
                }
                changed
            }
        }
    }

    /// Goes to a row.
    #[inline(always)]
    pub(crate) fn go<S: Simd>(&mut self, simd: S, row: usize) {
        let rows = self.cores.shape().rows();
        let last = rows.len() - 1;
        let prefix = row / rows[last];
        let changed = if self.prefix.is_none() { 0 } else { self.first_change(row) };
        self.digits[last] = row % rows[last];
        let mut rest = prefix;
        for k in (changed..last).rev() {
            self.digits[k] = rest % rows[k];
            rest /= rows[k];
        }
        self.prefix = Some(prefix);
        for k in changed.max(1)..last {
            self.multiply(simd, k);
        }
    }

    /// P_k = P_{k−1}·G_k[i_k], for k counted from 0.
    #[inline(always)]
    fn multiply<S: Simd>(&mut self, simd: S, k: usize) {
        let [_, left, columns, right] = self.cores.shape().core(k);
        let slice = self.cores.slice(k, self.digits[k]);
        let (before, this) = self.products.split_at_mut(k - 1);
        let before = match before.last() {
            Some(before) => before,
            None => self.cores.slice(0, self.digits[0]),
        };
        let sizes = [before.len() / left, left, columns * right];
        product(simd, To::Set, Left::Plain(before), slice, &mut this[0], sizes);
    }

    /// The current row, `[D]`.
    #[inline(always)]
    pub(crate) fn row<S: Simd>(&self, simd: S, row: &mut [f32]) {
        let last = self.digits.len() - 1;
        row_of(simd, &self.cores, self.product(last - 1), self.digits[last], row);
    }
}

/// A row, `[D]`, by its prefix and its last digit: the trace of P_{d−1}·G_d[i_d].
#[inline(always)]
pub(super) fn row_of<S: Simd>(
    simd: S,
    cores: &Packed<'_>,
    prefix: &[f32],
    digit: usize,
    row: &mut [f32],
) {
    let shape = cores.shape();
    let last = shape.cores() - 1;
    let [_, left, columns, ring] = shape.core(last);
    let slice = cores.slice(last, digit);
    let height = prefix.len() / (ring * left);
    let blocks = prefix.chunks_exact(height * left).zip(slice.chunks_exact(left * columns));
    let mut to = To::Set;
    for (prefix, slice) in blocks {
        product(simd, to, Left::Plain(prefix), slice, row, [height, left, columns]);
        to = To::Add;
    }
}

/// Numbers of P_k, counted from 0.
pub(crate) fn prefix_len(cores: &Packed<'_>, k: usize) -> usize {
    let shape = cores.shape();
    let columns: usize = shape.columns()[..=k].iter().product();
    shape.ranks()[0] * columns * shape.ranks()[k + 1]
}
