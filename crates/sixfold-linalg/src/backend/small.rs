//! nalgebra: less overhead on small matrices.

use nalgebra::SymmetricEigen;
use ndarray::Array1;

use super::Columns;
use crate::{Error, Result};

/// Enough for any finite matrix; nalgebra's own default never stops.
const SWEEPS: usize = 10_000;

pub(super) fn eigh(a: &Columns) -> Result<(Array1<f64>, Columns)> {
    let eigen = SymmetricEigen::try_new(a.nalgebra(), f64::EPSILON, SWEEPS)
        .ok_or(Error::NoConvergence { what: "eigh", iterations: SWEEPS })?;
    let mut order: Vec<usize> = (0..a.rows).collect();
    order.sort_by(|i, j| eigen.eigenvalues[*j].total_cmp(&eigen.eigenvalues[*i]));
    let values = order.iter().map(|i| eigen.eigenvalues[*i]).collect();
    let vectors = eigen.eigenvectors.select_columns(&order);
    Ok((values, Columns::from_nalgebra(vectors)))
}

pub(super) fn eigvalsh(a: &Columns) -> Result<Array1<f64>> {
    // The variant without vectors cannot bound its iterations.
    eigh(a).map(|(values, _)| values)
}

pub(super) fn qr(a: &Columns) -> (Columns, Columns) {
    let qr = a.nalgebra().qr();
    (Columns::from_nalgebra(qr.q()), Columns::from_nalgebra(qr.unpack_r()))
}
