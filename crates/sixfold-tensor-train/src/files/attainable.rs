//! Ranks that no unfolding can have, brought down to those that it can: other programs do not clip them.

use ndarray::{Array2, ArrayView2};
use sixfold_linalg::{matmul, qr};

use crate::Result;

/// A tensor train with any ranks, its cores `[I_k, r_{k−1}, J_k, r_k]`.
#[derive(Default)]
pub(super) struct Loose {
    pub(super) rows: Vec<usize>,
    pub(super) columns: Vec<usize>,
    pub(super) ranks: Vec<usize>,
    pub(super) cores: Vec<Vec<f32>>,
}

impl Loose {
    /// Brings every rank down to what its unfolding can have. The table stays the same but for rounding, and
    /// cores between two such ranks stay as they are.
    ///
    /// A core whose unfolding `[I_k·r_{k−1}·J_k, r_k]` is wider than high is Q·R with fewer columns, and R
    /// goes into the next core; then the same from the other side.
    pub(super) fn clip(&mut self) -> Result<()> {
        let d = self.rows.len();
        for k in 0..d - 1 {
            if self.ranks[k + 1] > self.ranks[k] * self.rows[k] * self.columns[k] {
                self.clip_right(k)?;
            }
        }
        for k in (1..d).rev() {
            if self.ranks[k] > self.ranks[k + 1] * self.rows[k] * self.columns[k] {
                self.clip_left(k)?;
            }
        }
        Ok(())
    }

    /// r_k of core k (from 0) becomes the height of its unfolding.
    fn clip_right(&mut self, k: usize) -> Result<()> {
        let old = self.ranks[k + 1];
        let unfolding = wide(&self.cores[k], old);
        let (q, r) = {
            let factors = qr(unfolding.view())?;
            (factors.q, factors.r)
        };
        self.ranks[k + 1] = q.ncols();
        self.cores[k] = narrow(q.view());
        self.cores[k + 1] = each_slice(&self.cores[k + 1], self.rows[k + 1], old, r.view());
        Ok(())
    }

    /// r_{k−1} of core k (from 0) becomes the width of its other unfolding `[r_{k−1}, I_k·J_k·r_k]`.
    fn clip_left(&mut self, k: usize) -> Result<()> {
        let (old, slices) = (self.ranks[k], self.rows[k]);
        let behind = self.columns[k] * self.ranks[k + 1];
        let core = &self.cores[k];
        let across = Array2::from_shape_fn((slices * behind, old), |(at, a)| {
            f64::from(core[(at / behind * old + a) * behind + at % behind])
        });
        // A = L·Q from Aᵀ = Qᵀ·Lᵀ.
        let factors = qr(across.view())?;
        let (q, new) = (factors.q, factors.r.nrows());
        self.ranks[k] = new;
        self.cores[k] = (0..slices * new * behind)
            .map(|at| {
                let (slice, a, i) = (at / (new * behind), at / behind % new, at % behind);
                q[(slice * behind + i, a)] as f32
            })
            .collect();
        let before = wide(&self.cores[k - 1], old);
        self.cores[k - 1] = narrow(matmul(before.view(), factors.r.t()).view());
        Ok(())
    }
}

fn wide(core: &[f32], columns: usize) -> Array2<f64> {
    Array2::from_shape_fn((core.len() / columns, columns), |(i, j)| {
        f64::from(core[i * columns + j])
    })
}

fn narrow(matrix: ArrayView2<'_, f64>) -> Vec<f32> {
    matrix.iter().map(|x| *x as f32).collect()
}

/// The left factor times each slice `[left, J_k·r_k]`.
fn each_slice(core: &[f32], slices: usize, left: usize, factor: ArrayView2<'_, f64>) -> Vec<f32> {
    let slice = core.len() / slices;
    let product =
        |slice: &[f32]| narrow(matmul(factor, wide(slice, slice.len() / left).view()).view());
    core.chunks_exact(slice).flat_map(product).collect()
}
