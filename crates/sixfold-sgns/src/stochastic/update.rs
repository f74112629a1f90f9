//! The update of one positive pair and its negative samples.

use std::f32::consts::LOG2_E;
use std::sync::atomic::{AtomicU64, Ordering};

use bytemuck::Zeroable;
use pulp::Simd;

use crate::sweep::{exponential, sigmoid};

/// Rows are a multiple of this, so that any vector register divides them.
pub(super) const LANES: usize = 16;

/// Vectors of words and contexts, rows of one length, a multiple of [`LANES`].
pub(super) trait Tables {
    /// A step along the gradient of log σ(x₀) + Σ_{t>0} log σ(−x_t), where x_t is the product of the
    /// word's vector and that of `targets[t]`.
    ///
    /// `x` is memory for at least as many numbers, a multiple of [`LANES`].
    fn update<S: Simd>(&mut self, simd: S, word: u32, targets: &[u32], x: &mut [f32], rate: f32);
}

/// Vectors of one thread.
#[derive(Debug)]
pub(super) struct Own<'a> {
    pub(super) words: &'a mut [f32],
    pub(super) contexts: &'a mut [f32],
    pub(super) width: usize,
}

impl Tables for Own<'_> {
    #[inline(always)]
    fn update<S: Simd>(&mut self, simd: S, word: u32, targets: &[u32], x: &mut [f32], rate: f32) {
        let h = &mut self.words[word as usize * self.width..][..self.width];
        step(simd, h, self.contexts, targets, x, rate);
    }
}

/// Vectors that several threads change at once, two numbers in a cell. An update is lost where two
/// threads change a number at the same time.
#[derive(Debug)]
pub(super) struct Shared<'a> {
    words: &'a [AtomicU64],
    contexts: &'a [AtomicU64],
    /// Of a row.
    cells: usize,
    /// Copies of the rows of an update: that of the word, then those of its targets.
    copies: Vec<f32>,
    places: Vec<u32>,
}

impl<'a> Shared<'a> {
    pub(super) fn new(
        words: &'a [AtomicU64],
        contexts: &'a [AtomicU64],
        width: usize,
        targets: usize,
    ) -> Self {
        let copies = vec![0.0; (1 + targets) * width];
        Self { words, contexts, cells: width / 2, copies, places: (0..targets as u32).collect() }
    }

    fn row(&self, table: &'a [AtomicU64], id: u32) -> &'a [AtomicU64] {
        &table[id as usize * self.cells..][..self.cells]
    }
}

impl Tables for Shared<'_> {
    #[inline(always)]
    fn update<S: Simd>(&mut self, simd: S, word: u32, targets: &[u32], x: &mut [f32], rate: f32) {
        let mut copies = std::mem::take(&mut self.copies);
        let width = 2 * self.cells;
        let (h, contexts) = copies.split_at_mut(width);
        load(self.row(self.words, word), h);
        for (target, copy) in targets.iter().zip(contexts.chunks_exact_mut(width)) {
            load(self.row(self.contexts, *target), copy);
        }
        step(simd, h, contexts, &self.places[..targets.len()], x, rate);
        store(self.row(self.words, word), h);
        for (target, copy) in targets.iter().zip(contexts.chunks_exact(width)) {
            store(self.row(self.contexts, *target), copy);
        }
        self.copies = copies;
    }
}

#[inline(always)]
fn load(row: &[AtomicU64], copy: &mut [f32]) {
    for (cell, copy) in row.iter().zip(copy.as_chunks_mut::<2>().0) {
        *copy = unpack(cell.load(Ordering::Relaxed));
    }
}

#[inline(always)]
fn store(row: &[AtomicU64], copy: &[f32]) {
    for (cell, copy) in row.iter().zip(copy.as_chunks::<2>().0) {
        cell.store(pack(*copy), Ordering::Relaxed);
    }
}

/// Two numbers as a cell.
#[inline(always)]
pub(super) fn pack([low, high]: [f32; 2]) -> u64 {
    u64::from(low.to_bits()) | u64::from(high.to_bits()) << 32
}

/// A cell as two numbers.
#[inline(always)]
pub(super) fn unpack(cell: u64) -> [f32; 2] {
    [f32::from_bits(cell as u32), f32::from_bits((cell >> 32) as u32)]
}

/// h and the rows of `targets` of `contexts`, after the step that [`Tables::update`] describes.
#[inline(always)]
fn step<S: Simd>(
    simd: S,
    h: &mut [f32],
    contexts: &mut [f32],
    targets: &[u32],
    x: &mut [f32],
    rate: f32,
) {
    let (h, contexts) = (S::as_mut_simd_f32s(h).0, S::as_mut_simd_f32s(contexts).0);
    let width = h.len();
    for (x, target) in x.iter_mut().zip(targets) {
        let row = &contexts[*target as usize * width..][..width];
        // Two sums, in registers: one would wait for itself.
        let [mut even, mut odd] = [S::f32s::zeroed(); 2];
        let ((h, h_last), (row, row_last)) = (h.as_chunks::<2>(), row.as_chunks::<2>());
        for (h, c) in h.iter().zip(row) {
            even = simd.mul_add_e_f32s(h[0], c[0], even);
            odd = simd.mul_add_e_f32s(h[1], c[1], odd);
        }
        for (h, c) in h_last.iter().zip(row_last) {
            even = simd.mul_add_e_f32s(*h, *c, even);
        }
        *x = simd.reduce_sum_f32s(simd.add_f32s(even, odd));
    }
    // The derivative times the step length: σ(−x) of the context, −σ(x) of the samples.
    let positive = x[0];
    for x in x.iter_mut() {
        let t = *x * LOG2_E;
        *x = -rate * sigmoid(t, exponential(t));
    }
    let t = -positive * LOG2_E;
    x[0] = rate * sigmoid(t, exponential(t));
    let (pairs, last) = h.as_chunks_mut::<2>();
    let end = 2 * pairs.len();
    for (at, h) in pairs.iter_mut().enumerate() {
        advance(simd, h, contexts, (2 * at, width), targets, x);
    }
    for h in last.as_chunks_mut::<1>().0 {
        advance(simd, h, contexts, (end, width), targets, x);
    }
}

/// Some registers of h, and the same of the targets, which begin at `at` of rows of `width`.
#[inline(always)]
fn advance<S: Simd, const N: usize>(
    simd: S,
    h: &mut [S::f32s; N],
    contexts: &mut [S::f32s],
    (at, width): (usize, usize),
    targets: &[u32],
    slopes: &[f32],
) {
    let old = *h;
    for (target, slope) in targets.iter().zip(slopes) {
        let slope = simd.splat_f32s(*slope);
        let place = &mut contexts[*target as usize * width + at..];
        let Some(place) = place.first_chunk_mut::<N>() else { continue };
        for n in 0..N {
            h[n] = simd.mul_add_e_f32s(slope, place[n], h[n]);
            place[n] = simd.mul_add_e_f32s(slope, old[n], place[n]);
        }
    }
}

#[cfg(test)]
mod tests {
    use pulp::{Arch, WithSimd};

    use super::*;

    const WIDTH: usize = 2 * LANES;

    struct Update<'a, T> {
        tables: &'a mut T,
        word: u32,
        targets: &'a [u32],
        rate: f32,
    }

    impl<T: Tables> WithSimd for Update<'_, T> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let Self { tables, word, targets, rate } = self;
            tables.update(simd, word, targets, &mut [0.0; LANES], rate);
        }
    }

    /// Numbers that look random, about ±0.5.
    fn numbers(len: usize, seed: f64) -> Vec<f32> {
        (0..len)
            .map(|i| ((i as f64 * 12.9898 + seed).sin() * 43758.5453).fract() as f32 * 0.5)
            .collect()
    }

    fn loss(words: &[f64], contexts: &[f64], word: u32, targets: &[u32]) -> f64 {
        let row = |of: &[f64], id: u32| of[id as usize * WIDTH..][..WIDTH].to_vec();
        let h = row(words, word);
        let x =
            |target: u32| -> f64 { row(contexts, target).iter().zip(&h).map(|(c, h)| c * h).sum() };
        let log_sigma = |x: f64| -(-x).exp().ln_1p();
        log_sigma(x(targets[0])) + targets[1..].iter().map(|t| log_sigma(-x(*t))).sum::<f64>()
    }

    /// The step divided by its length is the gradient of the sampled objective.
    #[test]
    fn a_step_goes_along_the_gradient() {
        let (words, contexts) = (numbers(4 * WIDTH, 1.0), numbers(9 * WIDTH, 2.0));
        let (word, targets, rate) = (2, [5, 0, 8, 3], 2.0_f32.powi(-10));
        let (mut w, mut c) = (words.clone(), contexts.clone());
        let mut tables = Own { words: &mut w, contexts: &mut c, width: WIDTH };
        Arch::new().dispatch(Update { tables: &mut tables, word, targets: &targets, rate });
        let wide = |x: &[f32]| x.iter().map(|x| f64::from(*x)).collect::<Vec<_>>();
        let (words, contexts) = (wide(&words), wide(&contexts));
        let h = 1e-5;
        type Change<'a> = &'a dyn Fn(&mut [f64], &mut [f64], f64);
        let differ = |change: Change<'_>| {
            let at = |h: f64| {
                let (mut words, mut contexts) = (words.clone(), contexts.clone());
                change(&mut words, &mut contexts, h);
                loss(&words, &contexts, word, &targets)
            };
            (at(h) - at(-h)) / (2.0 * h)
        };
        let mut moved = 0;
        for i in 0..words.len() {
            let expected = differ(&|words: &mut [f64], _: &mut [f64], h| words[i] += h);
            let found = (f64::from(w[i]) - words[i]) / f64::from(rate);
            assert!(
                (found - expected).abs() < 2e-4,
                "word value {i}: {found}, expected {expected}"
            );
            moved += usize::from(found != 0.0);
        }
        for i in 0..contexts.len() {
            let expected = differ(&|_: &mut [f64], contexts: &mut [f64], h| contexts[i] += h);
            let found = (f64::from(c[i]) - contexts[i]) / f64::from(rate);
            assert!((found - expected).abs() < 2e-4, "context value {i}: {found}, {expected}");
            moved += usize::from(found != 0.0);
        }
        assert!(moved > 4 * WIDTH && moved <= 5 * WIDTH, "{moved}");
    }

    #[test]
    fn shared_vectors_change_as_those_of_one_thread() {
        let (mut words, mut contexts) = (numbers(4 * WIDTH, 1.0), numbers(9 * WIDTH, 2.0));
        let cells = |x: &[f32]| -> Vec<AtomicU64> {
            x.as_chunks::<2>().0.iter().map(|two| AtomicU64::new(pack(*two))).collect()
        };
        let (w, c) = (cells(&words), cells(&contexts));
        let (word, targets, rate) = (1, [7, 2, 4], 0.1);
        let mut tables = Shared::new(&w, &c, WIDTH, targets.len());
        Arch::new().dispatch(Update { tables: &mut tables, word, targets: &targets, rate });
        let mut tables = Own { words: &mut words, contexts: &mut contexts, width: WIDTH };
        Arch::new().dispatch(Update { tables: &mut tables, word, targets: &targets, rate });
        let numbers = |cells: Vec<AtomicU64>| -> Vec<f32> {
            cells.into_iter().flat_map(|cell| unpack(cell.into_inner())).collect()
        };
        assert_eq!((numbers(w), numbers(c)), (words, contexts));
    }
}
