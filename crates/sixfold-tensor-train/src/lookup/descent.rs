//! Derivatives from the longest prefixes down to the cores.

use ndarray::{ArrayView2, ArrayViewMut2};
use sixfold_linalg::{Threads, matmul_into};

use super::chain::prefix_len;
use super::each;
use super::levels::{Level, Levels};
use super::packed::Packed;

/// Hands the derivatives with respect to the longest prefixes, in the order of their slots, down to all cores but
/// the last.
pub(super) fn hand_down(
    cores: &Packed<'_>,
    levels: &Levels,
    products: &[Vec<f32>],
    mut of_prefixes: Vec<f32>,
    gradient: &mut [f32],
) {
    for k in (1..levels.0.len()).rev() {
        let step = Step { cores, k, before: &levels.0[k - 1], this: &levels.0[k] };
        let of_core = &mut gradient[cores.shape().core_range(k)];
        of_prefixes = step.to_core(&products[k - 1], &of_prefixes, of_core);
    }
    // Prefixes of one digit are slices.
    let len = prefix_len(cores, 0);
    for (of_prefix, digit) in of_prefixes.chunks_exact(len).zip(&levels.0[0].numbers) {
        gradient[*digit as usize * len..][..len].copy_from_slice(of_prefix);
    }
}

/// From the prefixes of one length to those one digit shorter.
struct Step<'a> {
    cores: &'a Packed<'a>,
    k: usize,
    before: &'a Level,
    this: &'a Level,
}

impl Step<'_> {
    /// Writes the gradient of the core, for the derivatives with respect to this level; returns those with respect
    /// to the one before, both in the order of slots. `products` are those of the one before.
    fn to_core(&self, products: &[f32], of_this: &[f32], of_core: &mut [f32]) -> Vec<f32> {
        let [_, left, columns, right] = self.cores.shape().core(self.k);
        let len = prefix_len(self.cores, self.k - 1);
        let width = columns * right;
        let wide = len / left * width;
        let mut handed = vec![0.0; self.this.len() * len];
        let mut rest = &mut handed[..];
        let mut tasks = Vec::with_capacity(self.this.starts.len());
        let groups = self.this.starts.windows(2).zip(of_core.chunks_exact_mut(left * width));
        for (digit, (slots, of_slice)) in groups.enumerate() {
            let slots = slots[0]..slots[1];
            let (handed, others) = std::mem::take(&mut rest).split_at_mut(slots.len() * len);
            rest = others;
            if !slots.is_empty() {
                tasks.push((digit, slots, of_slice, handed));
            }
        }
        each(tasks.into_iter(), |(digit, slots, of_slice, handed)| {
            let mut stacked = Vec::with_capacity(slots.len() * len);
            for node in &self.this.by_slot[slots.clone()] {
                let parent = self.this.parents[*node as usize] as usize;
                stacked.extend_from_slice(&products[parent * len..][..len]);
            }
            let height = stacked.len() / left;
            let of_this = &of_this[slots.start * wide..slots.end * wide];
            let (stacked, of_this) = (matrix(&stacked, left), matrix(of_this, width));
            let slice = matrix(self.cores.slice(self.k, digit), width);
            let of_slice = matrix_mut(of_slice, left, width);
            matmul_into(1.0, stacked.t(), of_this, 0.0, of_slice, Threads::ONE);
            let handed = matrix_mut(handed, height, left);
            matmul_into(1.0, of_this, slice.t(), 0.0, handed, Threads::ONE);
        });
        let mut of_before = vec![0.0; self.before.len() * len];
        each(of_before.chunks_mut(len).zip(&self.before.by_slot), |(sum, node)| {
            let node = *node as usize;
            for child in self.before.children[node]..self.before.children[node + 1] {
                let slot = self.this.slots[child as usize] as usize;
                let part = &handed[slot * len..][..len];
                sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
            }
        });
        of_before
    }
}

fn matrix(values: &[f32], columns: usize) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((values.len() / columns, columns), values).expect("whole rows")
}

fn matrix_mut(values: &mut [f32], rows: usize, columns: usize) -> ArrayViewMut2<'_, f32> {
    ArrayViewMut2::from_shape((rows, columns), values).expect("whole rows")
}
