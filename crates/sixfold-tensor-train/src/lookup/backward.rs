//! The gradient of the cores.

use pulp::{Arch, Simd, WithSimd};

use super::adjoint::add_row;
use super::chain::prefix_len;
use super::descent::hand_down;
use super::levels::{Levels, Visit, products};
use super::packed::{Packed, ring_last};
use super::sums::Sums;
use super::{Plan, each};
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
        let products = products(&cores, &levels);
        let longest = products.last().map(|products| &**products);
        let (of_last, of_prefixes) = of_rows(&cores, plan, grad, &levels, longest);
        gradient[last].copy_from_slice(&of_last);
        hand_down(&cores, &levels, &products, of_prefixes, &mut gradient);
    }
    finished(shape, gradient)
}

/// The gradient of the packed last core, and that of the longest prefixes in the order of their slots.
fn of_rows(
    cores: &Packed<'_>,
    plan: &Plan,
    grad: &[f32],
    levels: &Levels,
    products: Option<&[f32]>,
) -> (Vec<f32>, Vec<f32>) {
    let shape = cores.shape();
    let last = shape.cores() - 1;
    let len = prefix_len(cores, last - 1);
    let mut of_prefixes = vec![0.0; levels.longest().len() * len];
    let ids = plan.unique().len();
    let parts = (ids * shape.d_embed() / shape.core_len(last)).clamp(1, PARTS);
    let sums = Sums::new(plan, grad, shape.d_embed());
    let mut rest = &mut of_prefixes[..];
    let mut tasks = Vec::with_capacity(parts);
    for (slots, _) in levels.tasks(ids.div_ceil(parts)) {
        let (these, others) = std::mem::take(&mut rest).split_at_mut(slots.len() * len);
        rest = others;
        let prefixes = Visit { cores, levels, products, slots };
        tasks.push(Part { prefixes, plan, sums: &sums, of_prefixes: these });
    }
    let of_parts = each(tasks.into_iter(), |part| Arch::new().dispatch(part));
    (added(of_parts), of_prefixes)
}

/// The gradient of some of a plan's prefixes, and of the last core by their ids.
struct Part<'a> {
    prefixes: Visit<'a>,
    plan: &'a Plan,
    sums: &'a Sums<'a>,
    of_prefixes: &'a mut [f32],
}

impl WithSimd for Part<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
        let Self { prefixes, plan, sums, of_prefixes } = self;
        let (cores, levels) = (prefixes.cores, prefixes.levels);
        let shape = cores.shape();
        let last = shape.cores() - 1;
        let digits = shape.rows()[last];
        let mut of_last = vec![0.0; shape.core_len(last)];
        let mut scratch = vec![0.0; shape.d_embed()];
        let mut of_prefixes = of_prefixes.chunks_exact_mut(prefix_len(cores, last - 1));
        prefixes.each(
            simd,
            #[inline(always)]
            |prefix, product| {
                let of_prefix = of_prefixes.next().expect("one for each slot");
                for place in levels.ids(prefix) {
                    let row = sums.row(plan, place, &mut scratch);
                    let digit = plan.unique()[place] as usize % digits;
                    add_row(simd, cores, [product, row], digit, &mut of_last, of_prefix);
                }
            },
        );
        of_last
    }
}

/// The sum of some vectors of one length, in their order.
pub(crate) fn added(mut parts: Vec<Vec<f32>>) -> Vec<f32> {
    let mut sum = parts.remove(0);
    each(sum.chunks_mut(ADDED).enumerate(), |(at, sum)| {
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
