//! Softmax over the last axis, with and without a mask.

mod autodiff;
#[cfg(feature = "cube")]
mod cube;
mod host;
pub mod reference;

use burn::backend::tensor::{BoolTensor, FloatTensor};
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::{Bool, Tensor};

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
    pub(crate) trait SoftmaxOps: Backend {
        /// The softmax of each row.
        fn softmax_rows(x: FloatTensor<Self>) -> FloatTensor<Self>;

        /// The softmax of what is not hidden in each row.
        fn masked_softmax_rows(x: FloatTensor<Self>, hidden: BoolTensor<Self>)
        -> FloatTensor<Self>;

        /// `y ⊙ (d − Σ y·d)` at the output `y`: symmetric, so both backward pass and tangent.
        fn softmax_derivative(y: FloatTensor<Self>, d: FloatTensor<Self>) -> FloatTensor<Self>;
    }
}
pub(crate) use extension::SoftmaxOps;

/// Softmax over the last axis.
///
/// # Complexity
/// One pass over the memory on the CPU, in place where nobody shares it. Backward it keeps its
/// output only.
///
/// ```
/// use burn::tensor::Tensor;
/// use sixfold_model::ops;
///
/// let device = sixfold_model::device("flex")?;
/// let x = Tensor::<2>::from_floats([[7.0, 7.0]], &device);
/// let y: Vec<f32> = ops::softmax(x).into_data().to_vec().unwrap();
/// assert_eq!(y, [0.5, 0.5]);
/// # Ok::<(), sixfold_model::Error>(())
/// ```
pub fn softmax<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    if !has_kernel(&x) {
        return reference::softmax(x);
    }
    Tensor::from_dispatch(Dispatch::softmax_rows(x.into_dispatch()))
}

/// Softmax over the last axis of what is not hidden. Hidden places are 0, and so is a row that is
/// hidden as a whole, as are their gradients.
///
/// # Shapes
/// `x`: any; `hidden`: the same, with 1 where it holds along an axis → as `x`
///
/// # Panics
/// If an axis of `hidden` is neither 1 nor that of `x`.
///
/// # Complexity
/// As [`softmax`]; the mask is not expanded on the CPU.
///
/// ```
/// use burn::tensor::{Bool, Tensor};
/// use sixfold_model::ops;
///
/// let device = sixfold_model::device("flex")?;
/// let x = Tensor::<2>::from_floats([[7.0, 7.0, 9.0]], &device);
/// let hidden = Tensor::<2, Bool>::from_data([[false, false, true]], &device);
/// let y: Vec<f32> = ops::masked_softmax(x, hidden).into_data().to_vec().unwrap();
/// assert_eq!(y, [0.5, 0.5, 0.0]);
/// # Ok::<(), sixfold_model::Error>(())
/// ```
pub fn masked_softmax<const D: usize>(x: Tensor<D>, hidden: Tensor<D, Bool>) -> Tensor<D> {
    let fits = x.dims().iter().zip(hidden.dims()).all(|(x, mask)| mask == 1 || mask == *x);
    assert!(fits, "a mask of {:?} for {:?}", hidden.dims(), x.dims());
    if !has_kernel(&x) {
        return reference::masked_softmax(x, hidden);
    }
    Tensor::from_dispatch(Dispatch::masked_softmax_rows(x.into_dispatch(), hidden.into_dispatch()))
}

/// The derivative of a softmax in the direction `dx` of its input, from its output `y`; masked or
/// not.
///
/// # Shapes
/// `y`, `dx`: the same
pub fn softmax_tangent<const D: usize>(y: Tensor<D>, dx: Tensor<D>) -> Tensor<D> {
    let tracked = y.device().is_autodiff() || dx.device().is_autodiff();
    if tracked || !has_kernel(&y) || !has_kernel(&dx) {
        return reference::softmax_tangent(y, dx);
    }
    Tensor::from_dispatch(Dispatch::softmax_derivative(y.into_dispatch(), dx.into_dispatch()))
}
