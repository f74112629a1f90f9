//! A projection whose gradient goes into a sink.

use std::sync::Arc;

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::{DType, Tensor, TensorData};
use sixfold_model::{Projection, ops as model_ops};

use super::coordinates::{self, Coordinates, beside};
use crate::ops::{self, Sink};
use crate::{LayerUpdate, Mask};

/// y = x·W + b, whose rotated gradient leaves the backward pass at once.
///
/// Calibration sees gradients this way, and so does training that chooses other entries at each step: the gradients of
/// all matrices are never in memory together.
#[derive(Module, Debug)]
pub struct SunkLinear {
    /// W, `[d_in, d_out]`.
    pub weight: Param<Tensor<2>>,
    /// b, `[d_out]`.
    pub bias: Option<Param<Tensor<1>>>,
    /// The sum of all changes of the core, `[r_in, r_out]`, where it is kept.
    total: Option<Param<Tensor<2>>>,
    #[module(skip)]
    drain: Drain,
}

/// Where to, and in which coordinates.
#[derive(Clone, Debug)]
struct Drain {
    coordinates: Coordinates,
    sink: Arc<dyn Sink>,
}

impl SunkLinear {
    /// Leads the gradient of a projection into a sink, as the core in some coordinates.
    ///
    /// # Panics
    /// If basis and weights do not fit.
    pub fn new(linear: Linear, coordinates: &Coordinates, sink: Arc<dyn Sink>) -> Self {
        assert_eq!(linear.weight.dims(), coordinates.weights(), "the weights of the basis");
        Self {
            // It gets no gradient on the tape, but the backward pass has to come by.
            weight: linear.weight.set_require_grad(true),
            bias: linear.bias,
            total: None,
            drain: Drain { coordinates: coordinates.clone(), sink },
        }
    }

    /// The same, that keeps the sum of all changes of its core.
    pub fn remembered(mut self) -> Self {
        let device = self.weight.lazy_device();
        let zeros = Tensor::zeros(self.drain.coordinates.core(), (&device, DType::F32));
        self.total = Some(Param::from_tensor(zeros).set_require_grad(false));
        self
    }

    /// The sum of all changes without the weights, where it is kept.
    pub fn update(&self) -> Option<LayerUpdate> {
        let total = self.total.as_ref()?.val();
        Some(LayerUpdate {
            basis: self.drain.coordinates.name().to_owned(),
            mask: Mask::all(self.drain.coordinates.core()),
            values: total.to_data().iter::<f32>().collect(),
        })
    }

    /// The coordinates of the core.
    pub fn coordinates(&self) -> &Coordinates {
        &self.drain.coordinates
    }

    /// Where the gradient goes.
    pub fn sink(&self) -> &Arc<dyn Sink> {
        &self.drain.sink
    }

    /// The projection with a change of some entries of its core in the weights.
    ///
    /// # Panics
    /// If mask and values are not of the core.
    pub fn changed(mut self, mask: &Arc<Mask>, changes: &[f32]) -> Self {
        let device = self.weight.lazy_device().without_autodiff();
        let values = Tensor::from_data(TensorData::new(changes.to_vec(), [changes.len()]), &device);
        let indices = coordinates::indices(mask, &device);
        self.weight = self.drain.coordinates.added(self.weight, values, indices, mask);
        self.total = self.total.map(|total| total.map(|total| summed(total, mask, changes)));
        self
    }

    /// The projection without the changes, where their sum is kept; as it stands elsewhere.
    pub fn unload(self) -> Linear {
        let Some(LayerUpdate { mask, mut values, .. }) = self.update() else {
            return self.into_linear();
        };
        values.iter_mut().for_each(|value| *value = -*value);
        self.changed(&Arc::new(mask), &values).into_linear()
    }

    /// The projection itself.
    pub fn into_linear(self) -> Linear {
        Linear { weight: self.weight, bias: self.bias }
    }
}

/// A core after a change of some of its entries.
fn summed(total: Tensor<2>, mask: &Mask, changes: &[f32]) -> Tensor<2> {
    let (shape, device) = (total.dims(), total.device());
    let mut values: Vec<f32> = total.into_data().iter::<f32>().collect();
    match mask.indices() {
        None => values.iter_mut().zip(changes).for_each(|(value, change)| *value += change),
        Some(indices) => indices.iter().zip(changes).for_each(|(at, change)| {
            values[*at as usize] += change;
        }),
    }
    Tensor::from_data(TensorData::new(values, shape), (&device, DType::F32))
}

impl Projection for SunkLinear {
    fn project<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let weight = self.weight.val();
        let bias = self.bias.as_ref().map(Param::val);
        if !x.device().is_autodiff() {
            return model_ops::linear(x, weight, bias);
        }
        let mut shape = x.dims();
        let Drain { coordinates, sink } = &self.drain;
        let [d_in, d_out] = coordinates.weights();
        let n = shape[..D - 1].iter().product();
        let x = x.reshape([n, d_in]);
        let y = model_ops::linear(x.clone(), weight.clone().detach(), bias);
        let side = |columns: Option<&Tensor<2>>| columns.map(|columns| beside(columns, &y));
        let (u, v) = (side(coordinates.input()), side(coordinates.output()));
        let y = ops::sink(y, x.detach(), weight, u, v, sink.clone());
        shape[D - 1] = d_out;
        y.reshape(shape)
    }
}
