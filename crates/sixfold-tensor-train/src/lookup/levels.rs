//! The tree of prefixes that ids share.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::chain::prefix_len;
use super::large::large_product;
use super::micro::{Left, To, product};
use super::packed::Packed;
use crate::TtShape;

/// Numbers of prefixes that are multiplied with a slice together: they are to stay in the cache.
const TOGETHER: usize = 1 << 13;

/// The prefixes (i_1 … i_k) of one length k, ascending, each with a slot: slots are in the order of i_k, so that
/// all that are multiplied with one slice lie together.
pub(super) struct Level {
    pub(super) numbers: Vec<u32>,
    pub(super) slots: Vec<u32>,
    pub(super) by_slot: Vec<u32>,
    /// The first slot of each digit i_k, and where those of the last end.
    pub(super) starts: Vec<usize>,
    /// The first among the prefixes one digit longer that begin with this one, and where those of the last end.
    pub(super) children: Vec<u32>,
    /// The prefix one digit shorter that each begins with; none of one digit.
    pub(super) parents: Vec<u32>,
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
        Self { numbers, slots, by_slot, starts, children, parents: Vec::new() }
    }

    /// Prefixes.
    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }
}

/// The prefixes of all lengths 1 … d − 1.
pub(super) struct Levels(pub(super) Vec<Level>);

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
        for k in 1..levels.len() {
            let (before, this) = levels.split_at_mut(k);
            let (before, this) = (&before[k - 1], &mut this[0]);
            this.parents.reserve(this.len());
            for (parent, children) in before.children.windows(2).enumerate() {
                this.parents.resize(children[1] as usize, parent as u32);
            }
        }
        Self(levels)
    }

    /// The longest prefixes.
    pub(super) fn longest(&self) -> &Level {
        self.0.last().expect("a shape has two cores or more")
    }

    /// Slots of the longest prefixes, cut so that each task has at least so many ids, and how many it has.
    pub(super) fn tasks(&self, ids: usize) -> Vec<(Range<usize>, usize)> {
        let level = self.longest();
        let (mut tasks, mut start, mut count) = (Vec::new(), 0, 0);
        for (slot, prefix) in level.by_slot.iter().enumerate() {
            count += self.ids(*prefix as usize).len();
            if count >= ids || slot + 1 == level.len() {
                tasks.push((start..slot + 1, count));
                (start, count) = (slot + 1, 0);
            }
        }
        tasks
    }

    /// The longest prefix at a slot.
    pub(super) fn at(&self, slot: usize) -> usize {
        self.longest().by_slot[slot] as usize
    }

    /// The places of the ids that begin with one of the longest prefixes.
    #[inline(always)]
    pub(super) fn ids(&self, prefix: usize) -> Range<usize> {
        let children = &self.longest().children;
        children[prefix] as usize..children[prefix + 1] as usize
    }
}

/// P_1 … P_{d−2} of all prefixes of these lengths.
pub(super) fn products(cores: &Packed<'_>, levels: &Levels) -> Vec<Vec<f32>> {
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

/// Visits the longest prefixes of some slots.
pub(super) struct Visit<'a> {
    pub(super) cores: &'a Packed<'a>,
    pub(super) levels: &'a Levels,
    /// Of the prefixes one digit shorter, if the longest have more than one.
    pub(super) products: Option<&'a [f32]>,
    pub(super) slots: Range<usize>,
}

impl Visit<'_> {
    /// Calls `f` with the number of each prefix among the longest, and its product.
    #[inline(always)]
    pub(super) fn each<S: Simd>(self, simd: S, mut f: impl FnMut(usize, &[f32])) {
        let Self { cores, levels, products, slots } = self;
        let k = levels.0.len() - 1;
        let level = &levels.0[k];
        let Some(shorter) = products else {
            for prefix in &level.by_slot[slots] {
                let prefix = *prefix as usize;
                f(prefix, cores.slice(k, level.numbers[prefix] as usize));
            }
            return;
        };
        let [digits, left, columns, right] = cores.shape().core(k);
        let (short, len) = (prefix_len(cores, k - 1), prefix_len(cores, k));
        let most = (TOGETHER / len).max(1);
        let mut stacked = Vec::with_capacity(most * short);
        let mut together = vec![0.0; most * len];
        let mut start = slots.start;
        while start < slots.end {
            let digit = level.numbers[level.by_slot[start] as usize] as usize % digits;
            let end = level.starts[digit + 1].min(slots.end).min(start + most);
            stacked.clear();
            for prefix in &level.by_slot[start..end] {
                let parent = level.parents[*prefix as usize] as usize;
                stacked.extend_from_slice(&shorter[parent * short..][..short]);
            }
            let sizes = [stacked.len() / left, left, columns * right];
            let slice = cores.slice(k, digit);
            large_product(simd, &stacked, slice, &mut together, sizes);
            let products = together.chunks_exact(len);
            for (prefix, product) in level.by_slot[start..end].iter().zip(products) {
                f(*prefix as usize, product);
            }
            start = end;
        }
    }
}
