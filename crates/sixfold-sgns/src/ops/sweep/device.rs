//! Sweeps for the solver on a device.

use burn::tensor::{DType, Device, Tensor, TensorData};
use ndarray::{Array2, ArrayView2};

use super::{Factors, Pairs, sweep};
use crate::sweep::{Sweep, check};
use crate::{Objective, Result};

/// Sweeps on a device, for a [`Solver`](crate::Solver) on the host: factors go there and products come
/// back, (n + m)·d numbers beside n·m·d operations.
///
/// ```
/// use sixfold_sgns::ops::sweep::DeviceSweep;
/// use sixfold_sgns::{Counts, Objective, ObjectiveConfig, Solver, SolverConfig, initial};
/// let counts = Counts::from_rows(2, vec![0, 1, 3], vec![1, 0, 1], vec![4.0, 4.0, 2.0])?;
/// let objective = Objective::new(counts, &ObjectiveConfig::default())?;
/// let (a, b) = initial::random(&objective, 1, 0)?;
/// let sweep = DeviceSweep::new(&objective, &sixfold_model::device("flex")?);
/// let mut solver = Solver::new(&objective, sweep, (&a, &b), SolverConfig::default())?;
/// assert!(solver.step()?.is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct DeviceSweep {
    device: Device,
    pairs: Pairs,
    /// The same where the counts are symmetric.
    transposed: Pairs,
    row_weights: Tensor<1>,
    column_weights: Tensor<1>,
}

impl DeviceSweep {
    /// Copies what an objective consists of to a device.
    pub fn new(objective: &Objective, device: &Device) -> Self {
        let counts = objective.counts();
        let pairs = Pairs::new(counts, device);
        let transposed = match counts.is_symmetric() {
            true => pairs.clone(),
            false => Pairs::transposed(counts, device),
        };
        let weights = |values: &[f32]| {
            let data = TensorData::new(values.to_vec(), [values.len()]);
            Tensor::from_data(data, (device, DType::F32))
        };
        let row_weights = weights(objective.row_weights());
        let column_weights = weights(objective.column_weights());
        Self { device: device.clone(), pairs, transposed, row_weights, column_weights }
    }

    fn upload(&self, x: ArrayView2<'_, f32>) -> Tensor<2> {
        let data = TensorData::new(x.iter().copied().collect::<Vec<_>>(), [x.nrows(), x.ncols()]);
        Tensor::from_data(data, (&self.device, DType::F32))
    }
}

/// A tensor's values as a matrix.
fn download(x: Tensor<2>) -> Array2<f32> {
    let shape = x.dims();
    let values = x.into_data().iter::<f32>().collect();
    Array2::from_shape_vec(shape, values).expect("as many values as the shape says")
}

impl Sweep<f32> for DeviceSweep {
    fn shape(&self) -> [usize; 2] {
        self.pairs.shape()
    }

    fn rows(
        &self,
        a: ArrayView2<'_, f32>,
        b: ArrayView2<'_, f32>,
        right: ArrayView2<'_, f32>,
    ) -> Result<(f64, Array2<f32>)> {
        check(self.shape(), a, b, None, Some(right))?;
        let factors = Factors {
            a: self.upload(a),
            b: self.upload(b),
            right: self.upload(right),
            row_weights: self.row_weights.clone(),
            column_weights: self.column_weights.clone(),
        };
        let (values, product) = sweep(factors, &self.pairs);
        let value = values.into_data().iter::<f32>().map(f64::from).sum();
        Ok((value, download(product)))
    }

    fn columns(
        &self,
        a: ArrayView2<'_, f32>,
        b: ArrayView2<'_, f32>,
        left: ArrayView2<'_, f32>,
    ) -> Result<Array2<f32>> {
        check(self.shape(), a, b, Some(left), None)?;
        let factors = Factors {
            a: self.upload(b),
            b: self.upload(a),
            right: self.upload(left),
            row_weights: self.column_weights.clone(),
            column_weights: self.row_weights.clone(),
        };
        Ok(download(sweep(factors, &self.transposed).1))
    }
}
