//! Loops in the widest vector instructions of the machine, for the other crates too; here also over
//! rows and threads.

mod exp;
mod lanes;

use std::ops::AddAssign;

use rayon::prelude::*;

pub use exp::exp;
pub use lanes::{max, sum, sum_with};

/// Below this many values the bookkeeping of threads costs more than it gains.
const PARALLEL: usize = 1 << 17;

/// Rows of a task.
const ROWS: usize = 64;

/// Independent sums of a reduction: four registers of AVX-512, which hides the latency of an
/// addition.
pub(crate) const LANES: usize = 32;

/// Calls `f` compiled for the widest vector instructions that the machine has.
///
/// Only what is inlined profits: mark `f` itself, and every closure and function on the way to
/// the loop, `#[inline(always)]`. One that is not costs dearly: its `mul_add` becomes a call.
#[inline(always)]
pub fn simd<R>(f: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(f)
}

/// The sum of the lanes of a vectorised sum, by halves: an order that no machine changes.
///
/// `N` is a power of two.
#[inline(always)]
pub fn folded<T: Copy + AddAssign, const N: usize>(mut lanes: [T; N]) -> T {
    const { assert!(N.is_power_of_two(), "lanes are halved") };
    let mut width = N / 2;
    while width > 0 {
        for i in 0..width {
            let other = lanes[i + width];
            lanes[i] += other;
        }
        width /= 2;
    }
    lanes[0]
}

/// Whether a pass over so many values is worth more than one thread.
pub(crate) fn shared(values: usize) -> bool {
    values >= PARALLEL && rayon::current_num_threads() > 1
}

/// How many columns of an `[rows, d]` matrix a task should take, for loops in which no column
/// depends on another one: all of them where there is too little work to share.
pub(crate) fn columns_of_a_task(rows: usize, d: usize) -> usize {
    let whole = if shared(rows * d) { d.div_ceil(rayon::current_num_threads()) } else { d };
    whole.next_multiple_of(64).min(d).max(1)
}

/// f of each row of `[rows, d]`, in order.
pub(crate) fn map_rows<R: Clone + Default + Send>(
    rows: usize,
    d: usize,
    f: impl Fn(usize) -> R + Sync,
) -> Vec<R> {
    let mut found = vec![R::default(); rows];
    let fill = |(task, found): (usize, &mut [R])| {
        simd(
            #[inline(always)]
            || {
                for (row, found) in found.iter_mut().enumerate() {
                    *found = f(task * ROWS + row);
                }
            },
        );
    };
    if shared(rows * d) {
        found.par_chunks_mut(ROWS).enumerate().for_each(fill);
    } else {
        found.chunks_mut(ROWS).enumerate().for_each(fill);
    }
    found
}
