//! The tree of prefixes that ids share, and derivatives from its leaves to its root.

use ndarray::{ArrayView2, ArrayViewMut2};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use sixfold_linalg::{Threads, matmul_into};

use super::chain::prefix_len;
use super::micro::{Left, To, product};
use super::packed::Packed;
use crate::TtShape;

/// The prefixes (i_1 … i_k) of one length k, ascending, each with a slot: slots are in the order of i_k, so that
/// all that are multiplied with one slice lie together.
pub(super) struct Level {
    numbers: Vec<u32>,
    slots: Vec<u32>,
    by_slot: Vec<u32>,
    /// The first slot of each digit i_k, and where those of the last end.
    starts: Vec<usize>,
    /// The first among the prefixes one digit longer that begin with this one, and where those of the last end.
    children: Vec<u32>,
}

impl Level {
    /// From ascending numbers of longer prefixes, or ids, of which `rows` begin with the same prefix; the last
    /// digit of the prefixes is below `digits`.
    fn new(longer: &[u32], rows: usize, digits: usize) -> Self {
        let (mut numbers, mut children) = (Vec::new(), Vec::new());
        for (at, number) in longer.iter().map(|number| number / rows as u32).enumerate() {
            if numbers.last() != Some(&number) {
                numbers.push(number);
                children.push(at as u32);
            }
        }
        children.push(longer.len() as u32);
        let digit = |number: &u32| *number as usize % digits;
        let mut starts = vec![0; digits + 1];
        numbers.iter().for_each(|number| starts[digit(number) + 1] += 1);
        for at in 0..digits {
            starts[at + 1] += starts[at];
        }
        let mut next = starts.clone();
        let mut by_slot = vec![0; numbers.len()];
        let mut slots = Vec::with_capacity(numbers.len());
        for (at, number) in numbers.iter().enumerate() {
            let slot = &mut next[digit(number)];
            by_slot[*slot] = at as u32;
            slots.push(*slot as u32);
            *slot += 1;
        }
        Self { numbers, slots, by_slot, starts, children }
    }

    /// Prefixes.
    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// The slot of each prefix.
    pub(super) fn slots(&self) -> &[u32] {
        &self.slots
    }
}

/// The prefixes of all lengths 1 … d − 1.
pub(super) struct Levels(Vec<Level>);

impl Levels {
    /// Of ascending ids.
    pub(super) fn new(shape: &TtShape, ids: &[u32]) -> Self {
        let rows = shape.rows();
        let mut levels: Vec<Level> = Vec::with_capacity(rows.len() - 1);
        for k in (1..rows.len()).rev() {
            let longer = levels.last().map_or(ids, |level| &level.numbers);
            levels.push(Level::new(longer, rows[k], rows[k - 1]));
        }
        levels.reverse();
        Self(levels)
    }

    /// The longest prefixes.
    pub(super) fn prefixes(&self) -> &Level {
        self.0.last().expect("a shape has two cores or more")
    }

    /// The place of the first id of each of the longest prefixes, and the number of ids.
    pub(super) fn firsts(&self) -> &[u32] {
        &self.prefixes().children
    }
}

/// Hands the derivatives with respect to the longest prefixes, in the order of their slots, down to all cores but
/// the last.
pub(super) fn hand_down(
    cores: &Packed<'_>,
    levels: &Levels,
    mut of_prefixes: Vec<f32>,
    gradient: &mut [f32],
) {
    let products = products(cores, levels);
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

/// P_1 … P_{d−2} of all prefixes of these lengths.
fn products(cores: &Packed<'_>, levels: &Levels) -> Vec<Vec<f32>> {
    let mut all: Vec<Vec<f32>> = Vec::with_capacity(levels.0.len());
    for (k, level) in levels.0.iter().enumerate().take(levels.0.len() - 1) {
        let mut products = vec![0.0; level.len() * prefix_len(cores, k)];
        Arch::new().dispatch(Longer {
            cores,
            k,
            levels,
            before: all.last(),
            products: &mut products,
        });
        all.push(products);
    }
    all
}

/// Makes the products of one length from those one digit shorter.
struct Longer<'a> {
    cores: &'a Packed<'a>,
    k: usize,
    levels: &'a Levels,
    before: Option<&'a Vec<f32>>,
    products: &'a mut [f32],
}

impl WithSimd for Longer<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { cores, k, .. } = self;
        let [digits, left, columns, right] = cores.shape().core(k);
        let numbers = &self.levels.0[k].numbers;
        let len = prefix_len(cores, k);
        let mut products = numbers.iter().zip(self.products.chunks_exact_mut(len));
        let slice = |number: &u32| cores.slice(k, *number as usize % digits);
        match self.before {
            None => products.for_each(|(number, product)| product.copy_from_slice(slice(number))),
            Some(before) => {
                let shorter = &self.levels.0[k - 1];
                let before = before.chunks_exact(prefix_len(cores, k - 1));
                for (before, children) in before.zip(shorter.children.windows(2)) {
                    let children = (children[1] - children[0]) as usize;
                    for (number, this) in products.by_ref().take(children) {
                        let sizes = [before.len() / left, left, columns * right];
                        product(simd, To::Set, Left::Plain(before), slice(number), this, sizes);
                    }
                }
            }
        }
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
        let parents = self.parents();
        tasks.into_par_iter().for_each(|(digit, slots, of_slice, handed)| {
            let mut stacked = Vec::with_capacity(slots.len() * len);
            for node in &self.this.by_slot[slots.clone()] {
                let parent = parents[*node as usize] as usize;
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
        of_before.par_chunks_mut(len).zip(&self.before.by_slot).for_each(|(sum, node)| {
            let node = *node as usize;
            for child in self.before.children[node]..self.before.children[node + 1] {
                let slot = self.this.slots[child as usize] as usize;
                let part = &handed[slot * len..][..len];
                sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
            }
        });
        of_before
    }

    /// Of each prefix of this level, the one before that it begins with.
    fn parents(&self) -> Vec<u32> {
        let mut parents = Vec::with_capacity(self.this.len());
        for (parent, children) in self.before.children.windows(2).enumerate() {
            parents.resize(children[1] as usize, parent as u32);
        }
        parents
    }
}

fn matrix(values: &[f32], columns: usize) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((values.len() / columns, columns), values).expect("whole rows")
}

fn matrix_mut(values: &mut [f32], rows: usize, columns: usize) -> ArrayViewMut2<'_, f32> {
    ArrayViewMut2::from_shape((rows, columns), values).expect("whole rows")
}
