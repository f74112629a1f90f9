//! The gradient of the cores.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::Plan;
use super::adjoint::add_row;
use super::chain::{Chain, prefix_len};
use super::levels::{Levels, hand_down};
use super::packed::{Packed, ring_last};
use super::sums::Sums;
use crate::TtShape;

/// The most parts of a batch that have a gradient of the last core of their own.
const PARTS: usize = 16;

/// Numbers of a task that adds the parts.
const ADDED: usize = 1 << 14;

/// The gradient of the cores, laid out like them, for that of the rows, `[n, D]`.
///
/// Gradients of one id are added first, then those of one prefix, and those of prefixes are handed down from
/// core to core. Sizes alone decide how the work is split and in which order sums are made: threads change
/// no bit.
///
/// # Panics
/// If the cores are not those of the shape, the plan is for a larger table, or `grad` is no `[n, D]`.
///
/// # Complexity
/// With U different ids of P prefixes: twice the operations of [`forward`](super::forward()), and as much
/// once more for prefixes; memory for at most U·D + P·J_1⋯J_{d−1}·r_{d−1} numbers and the result. More than
/// three cores also take that of shorter prefixes.
pub fn backward(shape: &TtShape, cores: &[f32], plan: &Plan, grad: &[f32]) -> Vec<f32> {
    assert_eq!(grad.len(), plan.len() * shape.d_embed(), "a gradient for each id");
    let cores = Packed::new(shape, cores);
    let mut gradient = vec![0.0; shape.parameters()];
    if !plan.unique().is_empty() {
        let levels = Levels::new(shape, plan.unique());
        let last = shape.core_range(shape.cores() - 1);
        let (of_last, of_prefixes) = of_rows(&cores, plan, grad, &levels);
        gradient[last].copy_from_slice(&of_last);
        hand_down(&cores, &levels, of_prefixes, &mut gradient);
    }
    finished(shape, gradient)
}

/// The gradient of the packed last core, and that of prefixes in the order of their slots.
fn of_rows(cores: &Packed<'_>, plan: &Plan, grad: &[f32], levels: &Levels) -> (Vec<f32>, Vec<f32>) {
    let shape = cores.shape();
    let last = shape.cores() - 1;
    let (prefixes, firsts) = (levels.prefixes(), levels.firsts());
    let len = prefix_len(cores, last - 1);
    let mut of_prefixes = vec![0.0; prefixes.len() * len];
    let mut by_slot: Vec<Option<&mut [f32]>> =
        of_prefixes.chunks_exact_mut(len).map(Some).collect();
    let mut ordered: Vec<&mut [f32]> = prefixes
        .slots()
        .iter()
        .map(|slot| by_slot[*slot as usize].take().expect("each slot is of one prefix"))
        .collect();
    let ids = plan.unique().len();
    let parts = (plan.unique().len() * shape.d_embed() / shape.core_len(last)).clamp(1, PARTS);
    let each = ids.div_ceil(parts) as u32;
    let sums = Sums::new(plan, grad, shape.d_embed());
    let mut rest = &mut ordered[..];
    let mut tasks = Vec::with_capacity(parts);
    let mut start = 0;
    for part in 1..=parts as u32 {
        // A prefix is of one part.
        let end = firsts[..prefixes.len()].partition_point(|first| *first < part * each);
        let (these, others) = std::mem::take(&mut rest).split_at_mut(end - start);
        if end > start {
            tasks.push(Part { cores, plan, sums: &sums, firsts: &firsts[start..=end], these });
        }
        (rest, start) = (others, end);
    }
    let of_parts = tasks.into_par_iter().map(|part| Arch::new().dispatch(part)).collect();
    let of_last = added(of_parts);
    (of_last, of_prefixes)
}

/// The gradient of some of a plan's prefixes, and of the last core by their ids.
struct Part<'a, 'p> {
    cores: &'a Packed<'a>,
    plan: &'a Plan,
    sums: &'a Sums<'a>,
    /// The place of each prefix's first id, and where the last one's end.
    firsts: &'a [u32],
    these: &'p mut [&'p mut [f32]],
}

impl WithSimd for Part<'_, '_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
        let shape = self.cores.shape();
        let last = shape.cores() - 1;
        let mut chain = Chain::new(self.cores);
        let mut of_last = vec![0.0; shape.core_len(last)];
        let mut scratch = vec![0.0; shape.d_embed()];
        for (of_prefix, places) in self.these.iter_mut().zip(self.firsts.windows(2)) {
            let places: Range<usize> = places[0] as usize..places[1] as usize;
            for place in places {
                chain.go(simd, self.plan.unique()[place] as usize);
                let row = self.sums.row(self.plan, place, &mut scratch);
                let digit = chain.digits()[last];
                let factors = [chain.product(last - 1), row];
                add_row(simd, self.cores, factors, digit, &mut of_last, of_prefix);
            }
        }
        of_last
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
