//! Trains in f64, with any ranks.

use ndarray::{Array2, ArrayView2};
use sixfold_linalg::{ThinQr, matmul, qr};

use crate::decompose::core;
use crate::{Cores, Error, Result, TtShape};

/// A core in the order in which matrices are products: `[r_l, I·J, r_r]`.
#[derive(Clone, Debug)]
pub(super) struct Core {
    pub(super) values: Vec<f64>,
    pub(super) left: usize,
    pub(super) size: usize,
    pub(super) right: usize,
}

impl Core {
    /// From a matrix whose rows or columns are those of a core.
    pub(super) fn of(matrix: &Array2<f64>, left: usize, size: usize, right: usize) -> Self {
        Self { values: matrix.iter().copied().collect(), left, size, right }
    }

    fn zeros(left: usize, size: usize, right: usize) -> Self {
        Self { values: vec![0.0; left * size * right], left, size, right }
    }

    /// `[r_l·I·J, r_r]`
    pub(super) fn down(&self) -> ArrayView2<'_, f64> {
        ArrayView2::from_shape((self.left * self.size, self.right), &self.values).expect("whole")
    }

    /// `[r_l, I·J·r_r]`
    pub(super) fn across(&self) -> ArrayView2<'_, f64> {
        ArrayView2::from_shape((self.left, self.size * self.right), &self.values).expect("whole")
    }

    fn at(&self, a: usize, i: usize, b: usize) -> usize {
        (a * self.size + i) * self.right + b
    }
}

/// A tensor train.
pub(crate) struct Train {
    pub(super) cores: Vec<Core>,
}

impl Train {
    /// The train of these cores, if they are one.
    pub(super) fn new(cores: &Cores) -> Result<Self> {
        let shape = cores.shape();
        if shape.is_ring() {
            let problem = format!("a ring of rank {}, expected a train", shape.ranks()[0]);
            return Err(Error::Shape { problems: vec![problem] });
        }
        Ok(Self::of_slices((0..shape.cores()).map(|k| (shape.core(k), cores.core(k)))))
    }

    /// The train of cores `[I_k, r_{k−1}, J_k, r_k]`, of any ranks.
    pub(crate) fn of_slices<'a>(cores: impl Iterator<Item = ([usize; 4], &'a [f32])>) -> Self {
        let of = |([rows, left, columns, right], values): ([usize; 4], &[f32])| {
            let mut core = Core::zeros(left, rows * columns, right);
            for (at, run) in values.chunks_exact(right).enumerate() {
                let (i, a, j) = (at / columns / left, at / columns % left, at % columns);
                let to = core.at(a, i * columns + j, 0);
                let to = &mut core.values[to..][..right];
                to.iter_mut().zip(run).for_each(|(to, x)| *to = f64::from(*x));
            }
            core
        };
        Self { cores: cores.map(of).collect() }
    }

    /// Its ranks and values, as cores `[I_k, r_{k−1}, J_k, r_k]` with ranks that their unfoldings can have.
    pub(crate) fn into_slices(
        mut self,
        rows: &[usize],
        columns: &[usize],
    ) -> Result<(Vec<usize>, Vec<f32>)> {
        self.clip()?;
        let (mut ranks, mut values) = (vec![1], Vec::new());
        for ((of, rows), columns) in self.cores.iter().zip(rows).zip(columns) {
            let at = |i, a, j, b| of.values[of.at(a, i * columns + j, b)];
            values.extend(core([*rows, of.left, *columns, of.right], at));
            ranks.push(of.right);
        }
        Ok((ranks, values))
    }

    /// As cores of a table of the same sizes, with ranks that its unfoldings can have.
    pub(super) fn into_cores(self, like: &TtShape) -> Result<Cores> {
        let (ranks, values) = self.into_slices(like.rows(), like.columns())?;
        Cores::new(like.with_ranks(ranks)?, values)
    }

    /// Brings ranks down to what unfoldings can have. The table stays the same but for rounding, and cores
    /// between two such ranks stay as they are.
    ///
    /// A core whose unfolding `[r_l·I·J, r_r]` is wider than high is Q·R with fewer columns, and R goes into
    /// the next core; then the same from the other side.
    fn clip(&mut self) -> Result<()> {
        let d = self.cores.len();
        for k in 0..d - 1 {
            let this = &self.cores[k];
            if this.right > this.left * this.size {
                let ThinQr { q, r } = qr(this.down())?;
                self.cores[k] = Core::of(&q, this.left, this.size, q.ncols());
                self.multiply(k + 1, r.view());
            }
        }
        for k in (1..d).rev() {
            let this = &self.cores[k];
            if this.left > this.size * this.right {
                self.hand_left(k)?;
            }
        }
        Ok(())
    }

    /// Makes all cores but the first have orthonormal rows, `[r_l, I·J·r_r]`.
    pub(super) fn orthogonalise(&mut self) -> Result<()> {
        (1..self.cores.len()).rev().try_for_each(|k| self.hand_left(k))
    }

    /// Makes the rows `[r_l, I·J·r_r]` of core k orthonormal: A = L·Q, and L goes into the core before.
    fn hand_left(&mut self, k: usize) -> Result<()> {
        let this = &self.cores[k];
        let ThinQr { q, r } = qr(this.across().reversed_axes())?;
        let (size, right, rank) = (this.size, this.right, q.ncols());
        let before = &self.cores[k - 1];
        let moved = matmul(before.down(), r.t());
        self.cores[k - 1] = Core::of(&moved, before.left, before.size, rank);
        self.cores[k] = Core::of(&q.reversed_axes(), rank, size, right);
        Ok(())
    }

    /// Multiplies core k by a matrix from the left.
    pub(super) fn multiply(&mut self, k: usize, by: ArrayView2<'_, f64>) {
        let core = &self.cores[k];
        let product = matmul(by, core.across());
        self.cores[k] = Core::of(&product, by.nrows(), core.size, core.right);
    }

    /// Cores side by side: the first in a row, the last in a column, others along the diagonal.
    pub(super) fn add(&self, other: &Self) -> Self {
        let last = self.cores.len() - 1;
        let sum = |(k, (a, b)): (usize, (&Core, &Core))| {
            let (down, along) =
                (if k == 0 { 0 } else { a.left }, if k == last { 0 } else { a.right });
            let mut sum = Core::zeros(down + b.left, a.size, along + b.right);
            for (from, [left, right]) in [(a, [0, 0]), (b, [down, along])] {
                for x in 0..from.left {
                    for i in 0..from.size {
                        let to = sum.at(left + x, i, right);
                        let at = from.at(x, i, 0);
                        sum.values[to..][..from.right]
                            .copy_from_slice(&from.values[at..][..from.right]);
                    }
                }
            }
            sum
        };
        Self { cores: self.cores.iter().zip(&other.cores).enumerate().map(sum).collect() }
    }

    /// Kronecker products of the matrices of both.
    pub(super) fn hadamard(&self, other: &Self) -> Self {
        let product = |(a, b): (&Core, &Core)| {
            let mut product = Core::zeros(a.left * b.left, a.size, a.right * b.right);
            for (x, y) in (0..a.left).flat_map(|x| (0..b.left).map(move |y| (x, y))) {
                for i in 0..a.size {
                    let mut to = product.at(x * b.left + y, i, 0);
                    let of_b = &b.values[b.at(y, i, 0)..][..b.right];
                    for of_a in &a.values[a.at(x, i, 0)..][..a.right] {
                        let entries = &mut product.values[to..][..b.right];
                        entries.iter_mut().zip(of_b).for_each(|(to, of_b)| *to = of_a * of_b);
                        to += b.right;
                    }
                }
            }
            product
        };
        Self { cores: self.cores.iter().zip(&other.cores).map(product).collect() }
    }
}
