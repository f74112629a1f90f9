//! Walks along ascending ids, compiled for the widest vector instructions of the machine.

use pulp::{Arch, Simd, WithSimd};

use super::chain::Chain;
use super::packed::Packed;

/// Writes rows that rise.
pub(crate) fn rows<'r>(cores: &Packed<'_>, rows: impl Iterator<Item = (usize, &'r mut [f32])>) {
    Arch::new().dispatch(Rows { cores, rows });
}

struct Rows<'a, I> {
    cores: &'a Packed<'a>,
    rows: I,
}

impl<'r, I: Iterator<Item = (usize, &'r mut [f32])>> WithSimd for Rows<'_, I> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let mut chain = Chain::new(self.cores);
        for (id, row) in self.rows {
            chain.go(simd, id);
            chain.row(simd, row);
        }
    }
}

/// Calls `f` with each prefix P_{d−1}, of the rows that begin with it.
pub(crate) fn prefixes(
    cores: &Packed<'_>,
    prefixes: std::ops::Range<usize>,
    f: impl FnMut(&[f32]),
) {
    Arch::new().dispatch(Prefixes { cores, prefixes, f });
}

struct Prefixes<'a, F> {
    cores: &'a Packed<'a>,
    prefixes: std::ops::Range<usize>,
    f: F,
}

impl<F: FnMut(&[f32])> WithSimd for Prefixes<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let last = self.cores.shape().cores() - 1;
        let rows = self.cores.shape().rows()[last];
        let mut chain = Chain::new(self.cores);
        for prefix in self.prefixes {
            chain.go(simd, prefix * rows);
            (self.f)(chain.product(last - 1));
        }
    }
}
