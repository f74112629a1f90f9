//! The state of the entries that a moving mask has touched.

use crate::adam::config::SparseAdamConfig;
use crate::adam::kernel::{BLOCK, Block};
use crate::adam::powers::{Corrections, Decays};
use crate::adam::slots::{self, Slots};
use crate::{Error, Result};

/// Kept entries and their gradients.
#[derive(Clone, Copy, Debug)]
pub struct Kept<'a> {
    /// The entries, ascending.
    pub indices: &'a [u32],
    /// The gradient of each, `[k]`.
    pub gradients: &'a [f32],
    /// How far each is from the base model, `[k]`: needed for decay of weights only.
    pub values: Option<&'a [f32]>,
}

/// Moments of the entries of one matrix, and of no others.
///
/// Entries are sorted by index; a step merges the mask in. Where there would be more than
/// [`cap`](Self::cap), those with the smallest first moment |m| are forgotten (of equal ones, those of the
/// higher index), never one of the mask at hand; an entry that comes back after that starts anew.
///
/// # Complexity
/// A step with the mask of the step before takes O(k), any other O(entries). Memory: see [`Self::bytes`].
///
/// ```
/// use sixfold_sparsegrad::{EntryTable, Kept, SparseAdamConfig};
/// let mut table = EntryTable::new(SparseAdamConfig::default(), 2)?;
/// let kept = Kept { indices: &[3, 8], gradients: &[0.5, -2.0], values: None };
/// let deltas = table.step(kept, 0.1, 1)?;
/// // The first touch moves an entry by the learning rate, whatever its gradient.
/// assert!((deltas[0] + 0.1).abs() < 1e-6 && (deltas[1] - 0.1).abs() < 1e-6);
/// let kept = Kept { indices: &[4, 8], gradients: &[0.5, -2.0], values: None };
/// table.step(kept, 0.1, 2)?;
/// assert_eq!(table.indices(), [3, 4, 8]);
/// # Ok::<(), sixfold_sparsegrad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct EntryTable {
    pub(super) config: SparseAdamConfig,
    pub(super) cap: usize,
    pub(super) indices: Vec<u32>,
    pub(super) first: Vec<f32>,
    pub(super) second: Vec<f32>,
    /// Touches; where moments decay, the step before the first.
    pub(super) counts: Vec<u32>,
    /// The step of the last touch, where moments decay.
    pub(super) ages: Vec<u32>,
}

impl EntryTable {
    /// Starts without entries, for masks of about `k`.
    ///
    /// # Errors
    /// Those of [`SparseAdamConfig::validate`].
    pub fn new(config: SparseAdamConfig, k: usize) -> Result<Self> {
        config.validate()?;
        let cap = config.cap_of(k);
        let (indices, first, second) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { config, cap, indices, first, second, counts: Vec::new(), ages: Vec::new() })
    }

    /// One step: the change of each kept entry.
    ///
    /// # Shapes
    /// All slices of `kept` are `[k]`, and so is the result.
    ///
    /// # Errors
    /// The state is unchanged by all of them: [`Error::Shape`] for slices of different lengths or values
    /// that are missing; [`Error::Config`] for indices that do not ascend; [`Error::NotFinite`] with the
    /// index of the first gradient that is not; [`Error::TooMany`] for a mask above the cap;
    /// [`Error::InvalidParameter`] for step 0, or a step before the last.
    pub fn step(&mut self, kept: Kept<'_>, lr: f32, step: u32) -> Result<Vec<f32>> {
        let mut deltas = Vec::with_capacity(kept.indices.len());
        let decay = lr * self.config.weight_decay as f32;
        if kept.values.is_none() && self.config.weight_decay > 0.0 {
            return Err(shape("values", kept.indices.len(), 0));
        }
        self.check(&kept, step)?;
        self.advance(&kept, step, |from, directions| {
            for (i, direction) in directions.iter().enumerate() {
                let value = kept.values.map_or(0.0, |values| values[from + i]);
                deltas.push(lr * direction - decay * value);
            }
        })?;
        Ok(deltas)
    }

    /// One step between features themselves, added to the weights in the same pass.
    ///
    /// Decay of weights is that of the weight itself here: where it started is not known.
    ///
    /// # Shapes
    /// `weights` holds the whole matrix row by row, `[d_in·d_out]`.
    ///
    /// # Errors
    /// Those of [`Self::step`], and [`Error::Shape`] for an index outside the weights.
    pub fn step_scatter(
        &mut self,
        kept: Kept<'_>,
        lr: f32,
        step: u32,
        weights: &mut [f32],
    ) -> Result<()> {
        let decay = 1.0 - lr * self.config.weight_decay as f32;
        self.check(&kept, step)?;
        if let Some(last) = kept.indices.last().filter(|last| **last as usize >= weights.len()) {
            return Err(shape("weights", *last as usize + 1, weights.len()));
        }
        self.advance(&kept, step, |from, directions| {
            for (index, direction) in kept.indices[from..].iter().zip(directions) {
                let weight = &mut weights[*index as usize];
                *weight = decay * *weight + lr * direction;
            }
        })
    }

    fn check(&self, kept: &Kept<'_>, step: u32) -> Result<()> {
        let k = kept.indices.len();
        if kept.gradients.len() != k {
            return Err(shape("gradients", k, kept.gradients.len()));
        }
        if let Some(values) = kept.values.filter(|values| values.len() != k) {
            return Err(shape("values", k, values.len()));
        }
        if let Some(pair) = kept.indices.windows(2).find(|pair| pair[0] >= pair[1]) {
            let what = format!("entry {} stands before entry {}", pair[0], pair[1]);
            return Err(Error::Config { problems: vec![what] });
        }
        if let Some(i) = kept.gradients.iter().position(|g| !g.is_finite()) {
            let (path, index) = (String::new(), kept.indices[i] as usize);
            return Err(Error::NotFinite { path, what: "gradient", index });
        }
        if k > self.cap {
            return Err(Error::TooMany { k, size: self.cap });
        }
        let last = self.ages.iter().copied().max().unwrap_or(0);
        if step == 0 || step < last {
            let expected = "at least 1, and no step before the last";
            let found = f64::from(step);
            return Err(Error::InvalidParameter { name: "step", found, expected });
        }
        Ok(())
    }

    /// Moves the moments, and hands on Δ/lr of a few entries after another, with the place of the first.
    fn advance(
        &mut self,
        kept: &Kept<'_>,
        step: u32,
        mut emit: impl FnMut(usize, &[f32]),
    ) -> Result<()> {
        let slots = self.find(kept.indices, step);
        let k = kept.indices.len();
        let scheme = self.scheme(&slots, k, step);
        let mut block = Block::new();
        for from in (0..k).step_by(BLOCK) {
            let gradients = &kept.gradients[from..k.min(from + BLOCK)];
            for i in 0..gradients.len() {
                self.load(&slots, from + i, i, &scheme, step, &mut block);
            }
            block.step(&self.config, gradients);
            for i in 0..gradients.len() {
                let slot = slots.of(from + i);
                self.first[slot] = block.first[i];
                if let Some(v) = self.second.get_mut(slot) {
                    *v = block.second[i];
                }
            }
            emit(from, &block.direction[..gradients.len()]);
        }
        if self.indices.len() > self.cap {
            self.forget(&slots, step)?;
        }
        Ok(())
    }

    /// The powers that the touched entries need.
    fn scheme(&self, slots: &Slots, k: usize, step: u32) -> Scheme {
        let range = |of: &dyn Fn(usize) -> u32| {
            (0..k)
                .map(|i| of(slots.of(i)))
                .fold((u32::MAX, 0), |(least, most), x| (least.min(x), most.max(x)))
        };
        let (least, most) = if self.config.counts() {
            range(&|slot| self.touches(slot, step))
        } else {
            (step, step)
        };
        let missed = if self.config.ages() { range(&|slot| step - self.ages[slot]).1 } else { 0 };
        let corrections = Corrections::new(&self.config, least.min(most), most);
        Scheme { corrections, decays: Decays::new(&self.config, missed.saturating_sub(1)) }
    }

    /// Touches of an entry, this one included.
    #[inline(always)]
    fn touches(&self, slot: usize, step: u32) -> u32 {
        if self.config.ages() { step - self.counts[slot] } else { self.counts[slot] + 1 }
    }

    #[inline(always)]
    fn load(
        &mut self,
        slots: &Slots,
        entry: usize,
        i: usize,
        scheme: &Scheme,
        step: u32,
        block: &mut Block,
    ) {
        let slot = slots.of(entry);
        let mut touches = step;
        if self.config.counts() {
            touches = self.touches(slot, step);
            if !self.config.ages() {
                self.counts[slot] = touches;
            }
        }
        let mut decay = [1.0; 2];
        if self.config.ages() {
            decay = scheme.decays.of((step - self.ages[slot]).saturating_sub(1));
            self.ages[slot] = step;
        }
        block.first[i] = self.first[slot] * decay[0];
        block.second[i] = self.second.get(slot).copied().unwrap_or(0.0) * decay[1];
        let [first, second] = scheme.corrections.of(touches);
        block.corrections[0][i] = first;
        block.corrections[1][i] = second;
    }

    /// Where the entries of a mask are, with room made for new ones.
    fn find(&mut self, indices: &[u32], step: u32) -> Slots {
        if self.indices == indices {
            return Slots::Same;
        }
        let (found, new) = slots::merged(&self.indices, indices);
        if !new.is_empty() {
            slots::spread(&mut self.indices, &new, |i| indices[i]);
            slots::spread(&mut self.first, &new, |_| 0.0);
            if self.config.squares() {
                slots::spread(&mut self.second, &new, |_| 0.0);
            }
            if self.config.counts() {
                let start = if self.config.ages() { step - 1 } else { 0 };
                slots::spread(&mut self.counts, &new, |_| start);
            }
            if self.config.ages() {
                slots::spread(&mut self.ages, &new, |_| step);
            }
        }
        Slots::At(found)
    }
}

/// Powers of the betas for one step.
struct Scheme {
    corrections: Corrections,
    decays: Decays,
}

fn shape(what: &'static str, expected: usize, found: usize) -> Error {
    Error::Shape { path: String::new(), what, expected: vec![expected], found: vec![found] }
}
