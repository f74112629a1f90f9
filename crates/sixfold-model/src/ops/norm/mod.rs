//! Norms over the last axis.

mod autodiff;
#[cfg(feature = "cube")]
mod cube;
mod host;
pub mod reference;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

use super::has_kernel;
use crate::NormKind;

#[cfg_attr(feature = "ndarray", expect(deprecated, reason = "the second CPU backend"))]
mod extension {
    use super::*;

    #[backend_extension(
        Cube: cfg(feature = "cube"),
        Flex: cfg(feature = "flex"),
        NdArray: cfg(feature = "ndarray"),
        Autodiff
    )]
    pub(crate) trait NormOps: Backend {
        /// γ·x̂
        fn norm(
            x: FloatTensor<Self>,
            gamma: FloatTensor<Self>,
            epsilon: f64,
            kind: NormKind,
        ) -> FloatTensor<Self>;

        /// γ·x̂ + β. Apart from [`norm`](Self::norm) because extensions take no optional tensor.
        fn norm_offset(
            x: FloatTensor<Self>,
            gamma: FloatTensor<Self>,
            beta: FloatTensor<Self>,
            epsilon: f64,
            kind: NormKind,
        ) -> FloatTensor<Self>;

        /// The gradients for x, γ and β. For the RMS norm the last is what an offset would get.
        fn norm_backward(
            x: FloatTensor<Self>,
            gamma: FloatTensor<Self>,
            grad: FloatTensor<Self>,
            epsilon: f64,
            kind: NormKind,
        ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

        /// The derivative in the direction `dx` of x.
        fn norm_tangent(
            x: FloatTensor<Self>,
            dx: FloatTensor<Self>,
            gamma: FloatTensor<Self>,
            epsilon: f64,
            kind: NormKind,
        ) -> FloatTensor<Self>;
    }
}
pub(crate) use extension::NormOps;

/// LayerNorm (arXiv 1607.06450): `γ(x − mean)/√(var + ε) + β` over the last axis.
///
/// # Shapes
/// `x`: `[.., features]`, `gamma`, `beta`: `[features]` → as `x`
///
/// # Panics
/// If `gamma` or `beta` is of another length.
///
/// # Complexity
/// One pass over the memory on the CPU, in place where nobody shares it; one more backward,
/// which takes the statistics anew. Gradients do not depend on the number of threads.
///
/// ```
/// use burn::tensor::Tensor;
/// use sixfold_model::ops;
///
/// let device = sixfold_model::device("flex")?;
/// let x = Tensor::<2>::from_floats([[1.0, 3.0]], &device);
/// let gamma = Tensor::<1>::from_floats([2.0, 2.0], &device);
/// let y: Vec<f32> = ops::layer_norm(x, gamma, None, 0.0).into_data().to_vec().unwrap();
/// assert_eq!(y, [-2.0, 2.0]);
/// # Ok::<(), sixfold_model::Error>(())
/// ```
pub fn layer_norm<const D: usize>(
    x: Tensor<D>,
    gamma: Tensor<1>,
    beta: Option<Tensor<1>>,
    epsilon: f64,
) -> Tensor<D> {
    norm(x, gamma, beta, epsilon, NormKind::Layer)
}

/// RMSNorm (arXiv 1910.07467): `γx/√(mean(x²) + ε)` over the last axis.
///
/// # Shapes
/// `x`: `[.., features]`, `gamma`: `[features]` → as `x`
///
/// # Panics
/// If `gamma` is of another length.
///
/// # Complexity
/// As [`layer_norm`].
pub fn rms_norm<const D: usize>(x: Tensor<D>, gamma: Tensor<1>, epsilon: f64) -> Tensor<D> {
    norm(x, gamma, None, epsilon, NormKind::Rms)
}

/// The derivative of [`layer_norm`] at `x` in the direction `dx`.
///
/// # Shapes
/// `x`, `dx`: the same
pub fn layer_norm_tangent<const D: usize>(
    x: Tensor<D>,
    dx: Tensor<D>,
    gamma: Tensor<1>,
    epsilon: f64,
) -> Tensor<D> {
    tangent(x, dx, gamma, epsilon, NormKind::Layer)
}

/// The derivative of [`rms_norm`] at `x` in the direction `dx`.
///
/// # Shapes
/// `x`, `dx`: the same
pub fn rms_norm_tangent<const D: usize>(
    x: Tensor<D>,
    dx: Tensor<D>,
    gamma: Tensor<1>,
    epsilon: f64,
) -> Tensor<D> {
    tangent(x, dx, gamma, epsilon, NormKind::Rms)
}

fn norm<const D: usize>(
    x: Tensor<D>,
    gamma: Tensor<1>,
    beta: Option<Tensor<1>>,
    epsilon: f64,
    kind: NormKind,
) -> Tensor<D> {
    let features = x.dims()[D - 1];
    assert_eq!(gamma.dims(), [features], "a gain for each feature");
    if let Some(beta) = &beta {
        assert_eq!(beta.dims(), [features], "an offset for each feature");
    }
    if !has_kernel(&x) || !has_kernel(&gamma) || !beta.as_ref().is_none_or(has_kernel) {
        return match kind {
            NormKind::Layer => reference::layer_norm(x, gamma, beta, epsilon),
            NormKind::Rms => reference::rms_norm(x, gamma, epsilon),
        };
    }
    let (x, gamma) = (x.into_dispatch(), gamma.into_dispatch());
    Tensor::from_dispatch(match beta {
        Some(beta) => Dispatch::norm_offset(x, gamma, beta.into_dispatch(), epsilon, kind),
        None => Dispatch::norm(x, gamma, epsilon, kind),
    })
}

fn tangent<const D: usize>(
    x: Tensor<D>,
    dx: Tensor<D>,
    gamma: Tensor<1>,
    epsilon: f64,
    kind: NormKind,
) -> Tensor<D> {
    let tracked =
        x.device().is_autodiff() || dx.device().is_autodiff() || gamma.device().is_autodiff();
    if tracked || !has_kernel(&x) || !has_kernel(&dx) || !has_kernel(&gamma) {
        return match kind {
            NormKind::Layer => reference::layer_norm_tangent(x, dx, gamma, epsilon),
            NormKind::Rms => reference::rms_norm_tangent(x, dx, gamma, epsilon),
        };
    }
    Tensor::from_dispatch(Dispatch::norm_tangent(
        x.into_dispatch(),
        dx.into_dispatch(),
        gamma.into_dispatch(),
        epsilon,
        kind,
    ))
}
