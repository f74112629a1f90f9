//! The gradient of each different id: the sum of those of its rows.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::forward::REPEATED;
use super::past::{AHEAD, prefetch};
use super::{Plan, each};

/// Gradients of rows, `[n, D]`, and their sums by id where these are made apart.
pub(super) struct Sums<'a> {
    grad: &'a [f32],
    d: usize,
    /// `[U, D]`
    apart: Option<Vec<f32>>,
}

impl<'a> Sums<'a> {
    /// Where ids repeat, rows are read once in the order of the batch: far faster than in the order of ids.
    pub(super) fn new(plan: &Plan, grad: &'a [f32], d: usize) -> Self {
        let apart = plan.len() >= REPEATED * plan.unique().len();
        Self { grad, d, apart: apart.then(|| sums(plan, grad, d)) }
    }

    /// The sum of the id at a place; it may lie in `scratch`.
    #[inline(always)]
    pub(super) fn row<'s>(
        &'s self,
        plan: &Plan,
        place: usize,
        scratch: &'s mut [f32],
    ) -> &'s [f32] {
        let d = self.d;
        if let Some(sums) = &self.apart {
            return &sums[place * d..][..d];
        }
        let row = |position: u32| &self.grad[position as usize * d..][..d];
        match plan.positions(place) {
            [one] => row(*one),
            [first, second, others @ ..] => {
                let both = row(*first).iter().zip(row(*second));
                for (sum, (first, second)) in scratch.iter_mut().zip(both) {
                    *sum = first + second;
                }
                for position in others {
                    add(scratch, row(*position));
                }
                scratch
            }
            [] => unreachable!("an id stands somewhere"),
        }
    }
}

#[inline(always)]
fn add(sum: &mut [f32], row: &[f32]) {
    for (sum, value) in sum.iter_mut().zip(row) {
        *sum += value;
    }
}

/// The sums by id, `[U, D]`. Threads share the ids, so that each sum is made in the order of the batch.
fn sums(plan: &Plan, grad: &[f32], d: usize) -> Vec<f32> {
    let mut sums = vec![0.0; plan.unique().len() * d];
    let threads = rayon::current_num_threads();
    let mut rest = &mut sums[..];
    let mut tasks = Vec::with_capacity(threads);
    let mut start = 0;
    for thread in 1..=threads {
        let end = plan.place_after(plan.len() * thread / threads);
        let (sums, others) = std::mem::take(&mut rest).split_at_mut((end - start) * d);
        tasks.push(Add { plan, grad, d, places: start..end, sums });
        (rest, start) = (others, end);
    }
    each(tasks.into_iter(), |task| Arch::new().dispatch(task));
    sums
}

/// Adds the rows of the ids at some places.
struct Add<'a> {
    plan: &'a Plan,
    grad: &'a [f32],
    d: usize,
    places: Range<usize>,
    sums: &'a mut [f32],
}

impl WithSimd for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { plan, grad, d, places, sums } = self;
        let inverse = plan.inverse();
        let next = inverse.iter().skip(AHEAD).chain(std::iter::repeat(&u32::MAX));
        for ((row, place), next) in grad.chunks_exact(d).zip(inverse).zip(next) {
            // Padding has no place.
            let (place, next) = (*place as usize, *next as usize);
            if places.contains(&next) {
                prefetch(&sums[(next - places.start) * d..][..d]);
            }
            if places.contains(&place) {
                add(&mut sums[(place - places.start) * d..][..d], row);
            }
        }
    }
}
