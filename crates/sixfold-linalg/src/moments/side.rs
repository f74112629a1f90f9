//! Shift, scale and mean of one matrix, and how a new group of rows moves the mean.

use ndarray::{Array1, ArrayView1};

use super::block::Block;
use crate::error::same_shape;
use crate::scale::{ensure_finite_vector, power_of_two};
use crate::{Error, Real, Result};

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Side {
    pub(super) initialised: bool,
    pub(super) shift: Array1<f64>,
    pub(super) scale: Array1<f64>,
    /// Mean of (x − shift)/scale.
    pub(super) mean: Array1<f64>,
}

/// What a group of `rows` new rows adds, in the scaled units of the state.
///
/// Products P of the group enter as ratio_i·ratio_j·P_ij − sum_i·sum_j/rows + weight·δ_i·δ_j:
/// the second term centres products that were formed about another point than their mean.
pub(super) struct Step {
    pub(super) rows: f64,
    /// n·m/(n + m).
    pub(super) weight: f64,
    /// m/(n + m).
    fraction: f64,
    /// Units of the products in units of the state.
    pub(super) ratio: Array1<f64>,
    pub(super) sum: Array1<f64>,
    pub(super) delta: Array1<f64>,
}

impl Step {
    fn new(
        before: u64,
        rows: u64,
        ratio: Array1<f64>,
        sum: Array1<f64>,
        delta: Array1<f64>,
    ) -> Self {
        let (n, m) = (before as f64, rows as f64);
        Self { rows: m, weight: n * (m / (n + m)), fraction: m / (n + m), ratio, sum, delta }
    }
}

impl Side {
    pub(super) fn new(d: usize) -> Self {
        Self {
            initialised: false,
            shift: Array1::zeros(d),
            scale: Array1::ones(d),
            mean: Array1::zeros(d),
        }
    }

    /// Takes shift and scale from a block, unless there are some.
    pub(super) fn initialise<T: Real>(&mut self, block: &Block<T>) {
        if !self.initialised {
            self.shift = block.centre();
            self.scale = block.deviation().mapv(|x| power_of_two(x, T::MAX_SCALE_EXPONENT));
            self.initialised = true;
        }
    }

    pub(super) fn set_reference(
        &mut self,
        shift: ArrayView1<'_, f64>,
        scale: ArrayView1<'_, f64>,
    ) -> Result<()> {
        let d = self.shift.len();
        same_shape("shift", [shift.len(), 1], [d, 1])?;
        same_shape("scale", [scale.len(), 1], [d, 1])?;
        ensure_finite_vector("shift", shift)?;
        ensure_finite_vector("scale", scale)?;
        if let Some(&found) = scale.iter().find(|x| **x <= 0.0) {
            return Err(Error::InvalidParameter { name: "scale", found, expected: "> 0" });
        }
        self.shift.assign(&shift);
        self.scale.assign(&scale);
        self.initialised = true;
        Ok(())
    }

    pub(super) fn restore(
        rows: u64,
        initialised: bool,
        shift: Array1<f64>,
        scale: Array1<f64>,
        mean: Array1<f64>,
    ) -> Result<Self> {
        let mut side = Self::new(shift.len());
        same_shape("mean", [mean.len(), 1], [shift.len(), 1])?;
        ensure_finite_vector("mean", mean.view())?;
        side.set_reference(shift.view(), scale.view())?;
        if rows > 0 && !initialised {
            return Err(Error::NoReference);
        }
        Ok(Self { initialised, mean, ..side })
    }

    /// The step of a block that was formed here.
    pub(super) fn step<T: Real>(&self, before: u64, block: &Block<T>) -> Step {
        let rows = block.rows();
        let ratio = &block.scale / &self.scale;
        let sum = &block.residual / &self.scale;
        let offset = (block.centre() - &self.shift) / &self.scale;
        let delta = offset + &sum / rows as f64 - &self.mean;
        Step::new(before, rows, ratio, sum, delta)
    }

    /// The step of products formed elsewhere about the shift.
    pub(super) fn external_step(&self, before: u64, rows: u64, sum: ArrayView1<'_, f64>) -> Step {
        let delta = &sum / rows as f64 - &self.mean;
        Step::new(before, rows, Array1::ones(sum.len()), sum.to_owned(), delta)
    }

    /// The step of another state's centred products.
    pub(super) fn merge_step(&self, before: u64, rows: u64, other: &Self) -> Step {
        let ratio = &other.scale / &self.scale;
        let delta = (&other.shift - &self.shift) / &self.scale + &ratio * &other.mean - &self.mean;
        let sum = Array1::zeros(self.shift.len());
        Step::new(before, rows, ratio, sum, delta)
    }

    pub(super) fn advance(&mut self, step: &Step) {
        self.mean.scaled_add(step.fraction, &step.delta);
    }

    pub(super) fn mean(&self) -> Array1<f64> {
        &self.shift + &(&self.scale * &self.mean)
    }
}
