//! Rotary positions.

mod autodiff;
#[cfg(feature = "cube")]
mod cube;
mod host;
pub mod reference;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

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
    pub(crate) trait RotaryOps: Backend {
        /// The rotation, or where `inverse` its adjoint: the one by the negative angles.
        fn rotate(
            x: FloatTensor<Self>,
            cos: FloatTensor<Self>,
            sin: FloatTensor<Self>,
            heads: usize,
            inverse: bool,
        ) -> FloatTensor<Self>;
    }
}
pub(crate) use extension::RotaryOps;

/// Rotates the first `dim` features of each head (arXiv 2104.09864, in the form of two halves):
/// `(a, b) → (a·cos − b·sin, b·cos + a·sin)`, where a and b are the halves.
///
/// The last axis holds `heads` heads side by side and the axis before it the positions, so that
/// one function serves `[batch, len, heads·d_head]`, and with `heads` 1 also
/// `[batch, heads, len, d_head]`. Linear in `x`: its tangent is the rotation of the direction.
///
/// # Shapes
/// `x`: `[.., len, heads·d_head]`, `cos`, `sin`: `[len, dim/2]`, constants → as `x`
///
/// # Panics
/// If the shapes do not agree, or `dim` exceeds `d_head`.
///
/// # Complexity
/// One pass over the memory on the CPU, in place where nobody shares it; so is the backward
/// pass, which keeps nothing of `x`.
///
/// ```
/// use burn::tensor::Tensor;
/// use sixfold_model::ops;
///
/// let device = sixfold_model::device("flex")?;
/// let x = Tensor::<2>::from_floats([[1.0, 0.0]], &device);
/// let cos = Tensor::<2>::from_floats([[0.0]], &device);
/// let sin = Tensor::<2>::from_floats([[1.0]], &device);
/// let y: Vec<f32> = ops::rotate(x, cos, sin, 1).into_data().to_vec().unwrap();
/// assert_eq!(y, [0.0, 1.0]);
/// # Ok::<(), sixfold_model::Error>(())
/// ```
pub fn rotate<const D: usize>(
    x: Tensor<D>,
    cos: Tensor<2>,
    sin: Tensor<2>,
    heads: usize,
) -> Tensor<D> {
    let dims = x.dims();
    assert!(D >= 2 && heads > 0, "positions, and at least one head");
    let (len, width) = (dims[D - 2], dims[D - 1]);
    let half = cos.dims()[1];
    assert_eq!(cos.dims(), [len, half], "an angle for each position");
    assert_eq!(sin.dims(), [len, half], "as many sines as cosines");
    assert!(width.is_multiple_of(heads), "{width} features are not {heads} heads");
    assert!(2 * half <= width / heads, "2·{half} features of {}", width / heads);
    if !has_kernel(&x) || !has_kernel(&cos) || !has_kernel(&sin) {
        return reference::rotate(x, cos, sin, heads);
    }
    Tensor::from_dispatch(Dispatch::rotate(
        x.into_dispatch(),
        cos.into_dispatch(),
        sin.into_dispatch(),
        heads,
        false,
    ))
}
