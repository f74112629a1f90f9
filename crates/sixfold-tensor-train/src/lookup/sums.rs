//! The gradient of each different id: the sum of those of its rows.

use super::Plan;

/// Times that an id stands in a batch, in the mean, from which on sums are made apart, in the order of the
/// batch: reading rows one after the other is faster than in the order of ids.
const REPEATED: usize = 4;

/// Gradients of rows, `[n, D]`, and their sums by id where these are made apart.
pub(super) struct Sums<'a> {
    grad: &'a [f32],
    d: usize,
    /// `[U, D]`
    apart: Option<Vec<f32>>,
}

impl<'a> Sums<'a> {
    pub(super) fn new(plan: &Plan, grad: &'a [f32], d: usize) -> Self {
        let ids = plan.unique().len();
        let apart = (plan.len() >= REPEATED * ids).then(|| {
            let mut sums = vec![0.0; ids * d];
            for (row, place) in grad.chunks_exact(d).zip(plan.inverse()) {
                // Padding has no place.
                if let Some(sum) = sums.get_mut(*place as usize * d..).and_then(|s| s.get_mut(..d))
                {
                    sum.iter_mut().zip(row).for_each(|(sum, grad)| *sum += grad);
                }
            }
            sums
        });
        Self { grad, d, apart }
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
                    let row = row(*position);
                    scratch.iter_mut().zip(row).for_each(|(sum, grad)| *sum += grad);
                }
                scratch
            }
            [] => unreachable!("an id stands somewhere"),
        }
    }
}
