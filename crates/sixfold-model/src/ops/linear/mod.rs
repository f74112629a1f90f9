//! The affine map `x·W + b`: products at the rate of the best CPU crate, in any strides.

mod autodiff;
#[cfg(feature = "cube")]
mod cube;
mod host;
pub mod reference;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::{DType, Tensor};

use super::has_kernel;

#[cfg_attr(feature = "ndarray", expect(deprecated, reason = "the second CPU backend"))]
mod extension {
    use super::*;

    #[backend_extension(
        Cube: cfg(feature = "cube"),
        Flex: cfg(feature = "flex"),
        NdArray: cfg(feature = "ndarray"),
        Autodiff
    )]
    pub(crate) trait LinearOps: Backend {
        /// x·W + b along the last axis of x
        fn affine(
            x: FloatTensor<Self>,
            weight: FloatTensor<Self>,
            bias: FloatTensor<Self>,
        ) -> FloatTensor<Self>;

        /// x·W along the last axis of x
        fn project(x: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self>;

        /// g·Wᵀ
        fn affine_grad_x(weight: FloatTensor<Self>, g: FloatTensor<Self>) -> FloatTensor<Self>;

        /// xᵀ·g over all rows
        fn affine_grad_weight(x: FloatTensor<Self>, g: FloatTensor<Self>) -> FloatTensor<Self>;

        /// Σ g over all rows
        fn affine_grad_bias(g: FloatTensor<Self>) -> FloatTensor<Self>;
    }
}
pub(crate) use extension::LinearOps;

/// The affine map `x·W + b` along the last axis.
///
/// Weights in f16 or bf16 stay so: they are widened for the time of a product, forward and
/// backward, and the arithmetic is that of `x`. Their gradient comes in the type of `x`.
///
/// # Shapes
/// `x`: `[.., d_in]`, `weight`: `[d_in, d_out]`, `bias`: `[d_out]` → `[.., d_out]`
///
/// # Panics
/// If the widths do not fit.
///
/// # Complexity
/// `2·n·d_in·d_out` operations for n rows; the backward pass twice that.
///
/// ```
/// use burn::tensor::Tensor;
/// use sixfold_model::ops;
///
/// let device = sixfold_model::device("flex")?;
/// let x = Tensor::<2>::from_floats([[1.0, 2.0]], &device);
/// let w = Tensor::<2>::from_floats([[1.0], [10.0]], &device);
/// let y = ops::linear(x, w, None);
/// assert_eq!(y.into_scalar::<f32>(), 21.0);
/// # Ok::<(), sixfold_model::Error>(())
/// ```
pub fn linear<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
) -> Tensor<D> {
    let (d_in, d_out) = (x.dims()[D - 1], weight.dims());
    assert!(d_out[0] == d_in, "a map of {} features cannot take {d_in}", d_out[0]);
    if let Some(bias) = &bias {
        assert!(bias.dims()[0] == d_out[1], "bias and weight differ in their outputs");
    }
    let half = weight.dtype() != x.dtype() && weight.dtype().size() == 2;
    if !has_kernel(&x) || !(has_kernel(&weight) || half) {
        return reference::linear(x, weight, bias);
    }
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(match bias {
        Some(bias) => Dispatch::affine(x, weight, bias.cast(DType::F32).into_dispatch()),
        None => Dispatch::project(x, weight),
    })
}
