//! Element-wise activations.

mod autodiff;
#[cfg(feature = "cube")]
mod cube;
mod host;
pub mod reference;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

use super::has_kernel;
use crate::Activation;

#[cfg_attr(feature = "ndarray", expect(deprecated, reason = "the second CPU backend"))]
mod extension {
    use super::*;

    #[backend_extension(
        Cube: cfg(feature = "cube"),
        Flex: cfg(feature = "flex"),
        NdArray: cfg(feature = "ndarray"),
        Autodiff
    )]
    pub(crate) trait ActivationOps: Backend {
        /// act(x)
        fn activate(x: FloatTensor<Self>, kind: Activation) -> FloatTensor<Self>;

        /// d ⊙ act′(x): the backward pass for a gradient `d`, the tangent for a direction `d`.
        fn activate_derivative(
            x: FloatTensor<Self>,
            d: FloatTensor<Self>,
            kind: Activation,
        ) -> FloatTensor<Self>;
    }
}
pub(crate) use extension::ActivationOps;

/// Applies an activation to every element.
///
/// # Complexity
/// One pass over the memory on the CPU, in place where nobody shares it.
///
/// ```
/// use burn::tensor::Tensor;
/// use sixfold_model::{Activation, ops};
///
/// let device = sixfold_model::device("flex")?;
/// let x = Tensor::<1>::from_floats([1.0, -1.0], &device);
/// let y: Vec<f32> = ops::activate(x, Activation::Gelu).into_data().to_vec().unwrap();
/// assert!((y[0] - 0.841345).abs() < 1e-6 && (y[1] + 0.158655).abs() < 1e-6);
/// # Ok::<(), sixfold_model::Error>(())
/// ```
pub fn activate<const D: usize>(x: Tensor<D>, kind: Activation) -> Tensor<D> {
    if !has_kernel(&x) {
        return reference::activate(x, kind);
    }
    Tensor::from_dispatch(Dispatch::activate(x.into_dispatch(), kind))
}

/// The derivative of [`activate`] at `x` in the direction `dx`: `act′(x) ⊙ dx`.
///
/// # Shapes
/// `x`, `dx`: the same
pub fn activate_tangent<const D: usize>(
    x: Tensor<D>,
    dx: Tensor<D>,
    kind: Activation,
) -> Tensor<D> {
    if !has_kernel(&x) || !has_kernel(&dx) || x.device().is_autodiff() || dx.device().is_autodiff()
    {
        return reference::activate_tangent(x, dx, kind);
    }
    Tensor::from_dispatch(Dispatch::activate_derivative(
        x.into_dispatch(),
        dx.into_dispatch(),
        kind,
    ))
}
