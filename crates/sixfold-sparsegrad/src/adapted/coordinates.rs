//! A basis on a device.

use std::sync::Arc;

use burn::module::Param;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use ndarray::Array2;

use crate::{Basis, Mask, Side, ops};

/// A [`Basis`] on a device, for all matrices that share it.
#[derive(Clone, Debug)]
pub struct Coordinates(Arc<Sides>);

#[derive(Debug)]
struct Sides {
    name: String,
    /// `[d_in, d_out]`
    weights: [usize; 2],
    /// U and V, without autodiff; none for the features themselves.
    columns: [Option<Tensor<2>>; 2],
}

impl Coordinates {
    /// Copies a basis to a device; `name` is what adapters call it.
    ///
    /// One that bfloat16 holds ([`Basis::in_half`]) takes two bytes a number, where the device has the type.
    pub fn new(name: impl Into<String>, basis: &Basis, device: &Device) -> Self {
        let device = device.clone().without_autodiff();
        let half = basis.is_in_half() && device.supports_dtype(DType::BF16);
        let dtype = if half { DType::BF16 } else { DType::F32 };
        let tensor = |side: &Side| {
            let columns = side.columns()?.as_standard_layout();
            let shape = [columns.nrows(), columns.ncols()];
            let values: Vec<f32> = columns.iter().copied().collect();
            let data = TensorData::new(values, shape).convert_dtype(dtype);
            Some(Tensor::from_data(data, (&device, dtype)))
        };
        let columns = [tensor(&basis.input), tensor(&basis.output)];
        Self(Arc::new(Sides { name: name.into(), weights: basis.weights(), columns }))
    }

    /// What adapters call it.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The basis, copied back to the host.
    #[expect(clippy::missing_panics_doc, reason = "a tensor has as many values as its shape says")]
    pub fn basis(&self) -> Basis {
        let [input, output] = [0, 1].map(|side| match &self.0.columns[side] {
            None => Side::Identity(self.0.weights[side]),
            Some(columns) => {
                let shape = columns.dims();
                let values = columns.to_data().iter::<f32>().collect();
                Side::Columns(Array2::from_shape_vec(shape, values).expect("a matrix"))
            }
        });
        Basis { input, output }
    }

    /// Weights after a change of some entries of their core; `indices` are those of the mask on the device.
    pub(super) fn added(
        &self,
        weight: Param<Tensor<2>>,
        values: Tensor<1>,
        indices: Tensor<1, Int>,
        mask: &Arc<Mask>,
    ) -> Param<Tensor<2>> {
        let (u, v) = (self.input(), self.output());
        outside(weight, |weight| ops::update(weight, u, v, values, indices, mask))
    }

    /// U, `[d_in, r_in]`, in single precision or bfloat16; none for the features themselves.
    pub fn input(&self) -> Option<&Tensor<2>> {
        self.0.columns[0].as_ref()
    }

    /// V, `[d_out, r_out]`, likewise.
    pub fn output(&self) -> Option<&Tensor<2>> {
        self.0.columns[1].as_ref()
    }

    /// Shape of the weights, `[d_in, d_out]`.
    pub fn weights(&self) -> [usize; 2] {
        self.0.weights
    }

    /// Shape of the core, `[r_in, r_out]`.
    pub fn core(&self) -> [usize; 2] {
        [0, 1].map(|side| {
            self.0.columns[side].as_ref().map_or(self.0.weights[side], |columns| columns.dims()[1])
        })
    }
}

/// The entries of a mask on a device; none for all.
pub(super) fn indices(mask: &Mask, device: &Device) -> Tensor<1, Int> {
    let chosen: Vec<i32> =
        mask.indices().unwrap_or_default().iter().map(|index| *index as i32).collect();
    let n = chosen.len();
    Tensor::from_data(TensorData::new(chosen, [n]), device)
}

/// A parameter changed outside the tape, trained or frozen as it was.
pub(super) fn outside<const D: usize>(
    param: Param<Tensor<D>>,
    change: impl FnOnce(Tensor<D>) -> Tensor<D>,
) -> Param<Tensor<D>> {
    param.map(|old| {
        let (autodiff, trained) = (old.device().is_autodiff(), old.is_require_grad());
        let new = change(old.inner());
        if autodiff { Tensor::from_inner(new).set_require_grad(trained) } else { new }
    })
}

/// A constant as a tensor of the kind that `like` is: with autodiff, or without.
pub(super) fn beside<const D: usize>(constant: &Tensor<2>, like: &Tensor<D>) -> Tensor<2> {
    if like.device().is_autodiff() {
        Tensor::from_inner(constant.clone())
    } else {
        constant.clone()
    }
}
