//! The steps of a decomposition: one core after the other.

use ndarray::Array2;
use sixfold_linalg::Real;

use super::basis::{Basis, basis};
use super::carry::Carry;
use super::target::Rules;
use super::unfolding::{End, Unfolding};
use super::{Decomposition, core};
use crate::{Cores, Error, Result, TtShape};

/// A train whose cores are found from both ends.
pub(super) struct Peeling {
    rows: Vec<usize>,
    columns: Vec<usize>,
    rules: Rules,
    /// r_0 … r_d, as far as they are known.
    ranks: Vec<usize>,
    cores: Vec<Vec<f32>>,
    /// Cores that are not split off yet.
    first: usize,
    last: usize,
    energy: f64,
    discarded: Vec<f64>,
}

impl Peeling {
    pub(super) fn new(shape: &TtShape, rules: Rules, energy: f64) -> Self {
        let d = shape.cores();
        Self {
            rows: shape.rows().to_vec(),
            columns: shape.columns().to_vec(),
            rules,
            ranks: vec![1; d + 1],
            cores: vec![Vec::new(); d],
            first: 0,
            last: d - 1,
            energy,
            discarded: vec![0.0; d - 1],
        }
    }

    /// Rows of the unfoldings at both ends.
    fn sides(&self) -> [usize; 2] {
        let side = |k: usize, rank: usize| self.rows[k] * self.columns[k] * rank;
        [side(self.first, self.ranks[self.first]), side(self.last, self.ranks[self.last + 1])]
    }

    pub(super) fn side(&self) -> usize {
        let [first, last] = self.sides();
        first.min(last)
    }

    /// The end whose unfolding has the smaller side.
    pub(super) fn end(&self) -> End {
        let [first, last] = self.sides();
        if first <= last { End::First } else { End::Last }
    }

    /// Whether one core is left.
    pub(super) fn is_done(&self) -> bool {
        self.first == self.last
    }

    /// Splits the core at an end off and returns what is left.
    pub(super) fn step(&mut self, source: &impl Unfolding, end: End) -> Result<Carry> {
        if self.rules.are_precise() {
            self.step_in::<f64>(source, end)
        } else {
            self.step_in::<f32>(source, end)
        }
    }

    fn step_in<T: Real>(&mut self, source: &impl Unfolding, end: End) -> Result<Carry> {
        let bond = if end == End::First { self.first + 1 } else { self.last };
        let spent: f64 = self.discarded.iter().sum();
        let rule = self.rules.at(bond, self.energy, spent, self.last - self.first);
        let Basis { vectors, discarded } = basis::<T>(source, rule, self.energy - spent)?;
        tracing::debug!(bond, rank = vectors.ncols(), discarded, "bond");
        self.discarded[bond - 1] = discarded;
        self.ranks[bond] = vectors.ncols();
        match end {
            End::First => {
                let k = self.first;
                let (left, right) = (self.ranks[k], self.ranks[k + 1]);
                let at = |i, a, j, b| vectors[((a * self.rows[k] + i) * self.columns[k] + j, b)];
                self.cores[k] = core([self.rows[k], left, self.columns[k], right], at);
                self.first += 1;
            }
            End::Last => {
                let k = self.last;
                let (left, right) = (self.ranks[k], self.ranks[k + 1]);
                let at = |i, a, j, b| vectors[((i * self.columns[k] + j) * right + b, a)];
                self.cores[k] = core([self.rows[k], left, self.columns[k], right], at);
                self.last -= 1;
            }
        }
        let vectors: Array2<T> = vectors.mapv(T::narrow);
        Ok(source.project(vectors.view()))
    }

    /// The train, whose only core that is not split off is what is left.
    pub(super) fn finish(mut self, carry: Carry, vocab: usize, unit: f32) -> Result<Decomposition> {
        let (k, unit) = (self.first, f64::from(unit));
        let norm = self.energy.sqrt() * unit;
        if norm > f64::from(f32::MAX) {
            let (name, expected) = ("the norm of the table", "within f32");
            return Err(Error::InvalidParameter { name, found: norm, expected });
        }
        let [rows, left, columns, right] =
            [self.rows[k], self.ranks[k], self.columns[k], self.ranks[k + 1]];
        let at =
            |i, a, j, b| f64::from(carry.values[((a * rows + i) * columns + j) * right + b]) * unit;
        self.cores[k] = core([rows, left, columns, right], at);
        let shape = TtShape::new(vocab, self.rows, self.columns, self.ranks)?;
        let discarded = self.discarded.iter().map(|energy| energy * unit * unit).collect();
        Ok(Decomposition::new(Cores::new(shape, self.cores.concat())?, norm, discarded))
    }
}
