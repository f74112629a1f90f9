//! How much of the gradients of batches that nothing was learned from the trained entries hold.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use burn::tensor::{Device, Tensor};
use ndarray::ArrayView2;
use sixfold_model::{Seed, seed_dropout};
use sixfold_sparsegrad::diagnostics::{energy, energy_of};
use sixfold_sparsegrad::ops::Sink;
use sixfold_sparsegrad::{Adaptable, Adapted, Basis, Calibration, Coordinates, Mask, SunkLinear};

use super::super::ways::Sparse;

/// Batches that are looked at.
pub(super) const BATCHES: usize = 4;

/// Takes the gradients of a matrix and says what share of each is kept.
#[derive(Debug)]
struct Share {
    shape: [usize; 2],
    basis: Basis,
    /// The trained entries; where there are none, the k largest of each gradient.
    mask: Option<Mask>,
    k: usize,
    shares: Mutex<Vec<sixfold_sparsegrad::Result<f64>>>,
}

impl Share {
    /// ‖kept entries of the core‖²/‖gradient‖².
    fn of(&self, gradient: &[f32]) -> sixfold_sparsegrad::Result<f64> {
        let gradient = ArrayView2::from_shape(self.shape, gradient).expect("a gradient");
        let core = self.basis.rotate(gradient)?;
        let norm = |values: &mut dyn Iterator<Item = &f32>| -> f64 {
            values.map(|x| f64::from(*x).powi(2)).sum()
        };
        let all = norm(&mut gradient.iter());
        if all <= 0.0 {
            return Ok(1.0);
        }
        // A core that is cut off lacks a part of the gradient in the first place.
        let within = norm(&mut core.iter()) / all;
        let kept = match &self.mask {
            Some(mask) => energy_of(core.view(), mask)?,
            None => energy(core.view(), self.k)?,
        };
        Ok(kept * within)
    }
}

impl Sink for Share {
    fn receive(&self, core: Vec<f32>) {
        let share = self.of(&core);
        self.shares.lock().unwrap_or_else(PoisonError::into_inner).push(share);
    }
}

/// The mean share over matrices and batches; `loss` is that of a batch by its number.
pub(super) fn held_out<M: Adaptable>(
    model: M,
    sparse: &Sparse,
    found: &Calibration,
    device: &Device,
    seed: Seed,
    mut loss: impl FnMut(&M::Adapted, usize) -> sixfold_model::Result<Tensor<1>>,
) -> Result<f64> {
    let mut sinks: BTreeMap<String, Arc<Share>> = BTreeMap::new();
    let model = model.no_grad().adapt(&mut |path, linear| {
        let Some(basis) = found.basis_of.get(path).and_then(|name| found.bases.get(name)) else {
            return Adapted::Plain(linear);
        };
        let shape @ [d_in, d_out] = basis.weights();
        let sink = Arc::new(Share {
            shape,
            basis: basis.clone(),
            mask: found.masks.get(path).cloned(),
            k: sparse.config.k_of(d_in, d_out),
            shares: Mutex::new(Vec::new()),
        });
        sinks.insert(path.to_owned(), sink.clone());
        let features = Coordinates::new(path, &Basis::identity(d_in, d_out), device);
        Adapted::Sunk(SunkLinear::new(linear, &features, sink))
    });
    for batch in 0..BATCHES {
        seed_dropout(seed.derive("energy").derive(&batch.to_string()));
        let _ = loss(&model, batch)?.backward();
    }
    let mut sum = 0.0;
    let mut n = 0;
    for (path, sink) in sinks {
        let shares = sink.shares.lock().unwrap_or_else(PoisonError::into_inner);
        for share in shares.iter() {
            sum += share.as_ref().map_err(|error| anyhow::anyhow!("{path}: {error}"))?;
            n += 1;
        }
    }
    (n > 0).then(|| sum / f64::from(n)).context("no matrix had a gradient")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_counts_what_the_core_lacks() {
        let share = |basis: Basis, mask: Option<Mask>, k: usize| Share {
            shape: [2, 2],
            basis,
            mask,
            k,
            shares: Mutex::default(),
        };
        let gradient = [3.0, 0.0, 0.0, 4.0];
        let identity = || Basis::identity(2, 2);
        let first = Mask::new([2, 2], vec![0]).unwrap();
        assert!((share(identity(), Some(first), 1).of(&gradient).unwrap() - 0.36).abs() < 1e-12);
        assert!((share(identity(), None, 1).of(&gradient).unwrap() - 0.64).abs() < 1e-12);
        // All of the core, but the core is one direction of two.
        let cut = Basis::random(2, 2, 1, 1, 3).unwrap();
        let core = cut.rotate(ArrayView2::from_shape([2, 2], &gradient).unwrap()).unwrap();
        let expected = f64::from(core[(0, 0)]).powi(2) / 25.0;
        let found = share(cut, Some(Mask::all([1, 1])), 1).of(&gradient).unwrap();
        assert!((found - expected).abs() < 1e-9 && found < 1.0);
        let zero = share(identity(), None, 1).of(&[0.0; 4]).unwrap();
        assert!((zero - 1.0).abs() < 1e-12);
    }
}
