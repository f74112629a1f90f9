//! Dropout by a mask that is made on the host.

use burn::tensor::{Tensor, TensorData};

use super::DropoutMask;

/// See [`dropout`](super::dropout).
pub fn dropout<const D: usize>(x: Tensor<D>, mask: DropoutMask) -> Tensor<D> {
    let shape = x.shape();
    let factors: Vec<f32> = (0..shape.num_elements()).map(|i| mask.factor(i as u32)).collect();
    let factors = Tensor::<D>::from_data(TensorData::new(factors, shape), &x.device());
    x.clone() * factors.cast(x.dtype())
}
