//! faer: blocked and vectorised factorisations.

use faer::diag::DiagMut;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::{LltError, cholesky_in_place, cholesky_in_place_scratch};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::linalg::householder::{
    apply_block_householder_sequence_on_the_left_in_place_scratch as apply_scratch,
    apply_block_householder_sequence_on_the_left_in_place_with_conj as apply,
};
use faer::linalg::qr::no_pivoting::factor::{
    qr_in_place, qr_in_place_scratch, recommended_block_size,
};
use faer::linalg::svd::{ComputeSvdVectors, svd as svd_into, svd_scratch};
use faer::linalg::triangular_solve::{
    solve_lower_triangular_in_place, solve_upper_triangular_in_place,
};
use faer::{Conj, Mat, Par};
use ndarray::Array1;

use super::Columns;
use crate::{Error, Result};

/// The smaller side from which several threads are faster than one.
const PARALLEL: usize = 512;

fn par(side: usize) -> Par {
    if side < PARALLEL || rayon::current_num_threads() == 1 { Par::Seq } else { Par::rayon(0) }
}

pub(super) fn eigh(a: &Columns) -> Result<(Array1<f64>, Columns)> {
    let n = a.rows;
    let mut vectors = Columns::zeros(n, n);
    let ascending = evd(a, Some(&mut vectors))?;
    // faer sorts upwards: swap columns from both ends.
    for j in 0..n / 2 {
        let (head, tail) = vectors.data.split_at_mut((n - 1 - j) * n);
        head[j * n..(j + 1) * n].swap_with_slice(&mut tail[..n]);
    }
    Ok((ascending.into_iter().rev().collect(), vectors))
}

pub(super) fn eigvalsh(a: &Columns) -> Result<Array1<f64>> {
    Ok(evd(a, None)?.into_iter().rev().collect())
}

fn evd(a: &Columns, vectors: Option<&mut Columns>) -> Result<Vec<f64>> {
    let (n, par) = (a.rows, par(a.rows));
    let compute =
        if vectors.is_some() { ComputeEigenvectors::Yes } else { ComputeEigenvectors::No };
    let scratch = self_adjoint_evd_scratch::<f64>(n, compute, par, Default::default());
    let mut memory = MemBuffer::new(scratch);
    let mut values = vec![0.0; n];
    self_adjoint_evd(
        a.faer(),
        DiagMut::from_slice_mut(&mut values),
        vectors.map(Columns::faer_mut),
        par,
        MemStack::new(&mut memory),
        Default::default(),
    )
    .map_err(|_| Error::NoConvergence { what: "eigh", iterations: 0 })?;
    Ok(values)
}

pub(super) fn svd(a: &Columns) -> Result<(Columns, Array1<f64>, Columns)> {
    let side = a.rows.min(a.cols);
    let (mut u, mut v) = (Columns::zeros(a.rows, side), Columns::zeros(a.cols, side));
    let values = svd_with(a, Some((&mut u, &mut v)))?;
    Ok((u, values, v))
}

pub(super) fn svdvals(a: &Columns) -> Result<Array1<f64>> {
    svd_with(a, None)
}

fn svd_with(a: &Columns, vectors: Option<(&mut Columns, &mut Columns)>) -> Result<Array1<f64>> {
    let side = a.rows.min(a.cols);
    let par = par(side);
    let compute = if vectors.is_some() { ComputeSvdVectors::Thin } else { ComputeSvdVectors::No };
    let scratch = svd_scratch::<f64>(a.rows, a.cols, compute, compute, par, Default::default());
    let mut memory = MemBuffer::new(scratch);
    let mut values = vec![0.0; side];
    let (u, v) = vectors.unzip();
    svd_into(
        a.faer(),
        DiagMut::from_slice_mut(&mut values),
        u.map(Columns::faer_mut),
        v.map(Columns::faer_mut),
        par,
        MemStack::new(&mut memory),
        Default::default(),
    )
    .map_err(|_| Error::NoConvergence { what: "svd", iterations: 0 })?;
    Ok(values.into())
}

pub(super) fn qr(a: &Columns) -> (Columns, Columns) {
    let (m, n) = (a.rows, a.cols);
    let side = m.min(n);
    let par = par(side);
    let block = recommended_block_size::<f64>(m, n);
    let mut factors = a.clone();
    let mut coefficients = Mat::<f64>::zeros(block, side);
    let scratch = qr_in_place_scratch::<f64>(m, n, block, par, Default::default());
    let mut memory = MemBuffer::new(scratch);
    qr_in_place(
        factors.faer_mut(),
        coefficients.as_mut(),
        par,
        MemStack::new(&mut memory),
        Default::default(),
    );
    let mut r = Columns::zeros(side, n);
    for j in 0..n {
        let len = side.min(j + 1);
        r.column_mut(j)[..len].copy_from_slice(&factors.column_mut(j)[..len]);
    }
    let mut q = Columns::zeros(m, side);
    for j in 0..side {
        q.column_mut(j)[j] = 1.0;
    }
    let mut memory = MemBuffer::new(apply_scratch::<f64>(m, block, side));
    apply(
        factors.faer().subcols(0, side),
        coefficients.as_ref(),
        Conj::No,
        q.faer_mut(),
        par,
        MemStack::new(&mut memory),
    );
    (q, r)
}

/// The lower Cholesky factor of a positive definite matrix.
pub(crate) struct Cholesky {
    factor: Columns,
}

impl Cholesky {
    /// Reads the lower triangle of `a`.
    pub(crate) fn new(what: &'static str, mut a: Columns) -> Result<Self> {
        let (n, par) = (a.rows, par(a.rows));
        let scratch = cholesky_in_place_scratch::<f64>(n, par, Default::default());
        let mut memory = MemBuffer::new(scratch);
        cholesky_in_place(
            a.faer_mut(),
            Default::default(),
            par,
            MemStack::new(&mut memory),
            Default::default(),
        )
        .map_err(|LltError::NonPositivePivot { index }| Error::NotPositiveDefinite {
            what,
            pivot: index,
        })?;
        for j in 1..n {
            a.column_mut(j)[..j].fill(0.0);
        }
        Ok(Self { factor: a })
    }

    /// L, lower triangular.
    pub(crate) fn factor(&self) -> &Columns {
        &self.factor
    }

    /// b ← L⁻¹ b.
    pub(crate) fn solve_lower(&self, b: &mut Columns) {
        solve_lower_triangular_in_place(self.factor.faer(), b.faer_mut(), par(self.factor.rows));
    }

    /// b ← L⁻ᵀ b.
    pub(crate) fn solve_upper(&self, b: &mut Columns) {
        let upper = self.factor.faer().transpose();
        solve_upper_triangular_in_place(upper, b.faer_mut(), par(self.factor.rows));
    }
}
