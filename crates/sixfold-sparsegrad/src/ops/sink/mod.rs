//! Gradients of a matrix that leave the backward pass at once, in other coordinates.

mod autodiff;
#[cfg(feature = "cube")]
mod cube;
mod host;
pub mod reference;

use std::fmt::Debug;
use std::sync::Arc;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::{DType, Tensor};

/// Takes the core of a matrix's gradient during the backward pass.
///
/// Nothing else keeps it: a matrix whose gradient goes into a sink has none on the tape, so that the gradients of all
/// matrices never lie in memory together.
pub trait Sink: Debug + Send + Sync {
    /// Takes C = Uᵀ·xᵀ·dy·V, `[r_in, r_out]` row by row.
    fn receive(&self, core: Vec<f32>);
}

#[cfg_attr(feature = "ndarray", expect(deprecated, reason = "the second CPU backend"))]
mod extension {
    use super::*;

    #[backend_extension(
        Cube: cfg(feature = "cube"),
        Flex: cfg(feature = "flex"),
        NdArray: cfg(feature = "ndarray"),
        Autodiff
    )]
    pub(crate) trait SinkOps: Backend {
        /// y itself. Empty bases are those of a side that is not rotated.
        fn into_sink(
            y: FloatTensor<Self>,
            x: FloatTensor<Self>,
            weight: FloatTensor<Self>,
            u: FloatTensor<Self>,
            v: FloatTensor<Self>,
            sink: Arc<dyn Sink>,
        ) -> FloatTensor<Self>;
    }
}
pub(crate) use extension::SinkOps;

/// What the backward pass of [`sink`] needs of a backend.
pub(crate) trait Deliver: Backend {
    /// Hands Uᵀ·xᵀ·g·V to the sink.
    fn deliver(
        x: FloatTensor<Self>,
        g: FloatTensor<Self>,
        u: Option<FloatTensor<Self>>,
        v: Option<FloatTensor<Self>>,
        sink: &dyn Sink,
    );
}

/// Gives y back, and the rotated gradient of the weights of y = x·W to a [`Sink`].
///
/// `weight` is W, which takes part in the backward pass and gets no gradient there: without it the pass would end before
/// the first layer.
///
/// # Shapes
/// `y`: `[n, d_out]`, `x`: `[n, d_in]`, `u`: `[d_in, r_in]`, `v`: `[d_out, r_out]`, in f32 or half precision, none for
/// a side that is not rotated → `[n, d_out]`
///
/// # Panics
/// If the shapes do not fit, or the type of x and y is not f32.
///
/// # Complexity
/// Backward: the cheaper of rotating activations, `2·n·(d_in·r_in + d_out·r_out + r_in·r_out)` operations, and the
/// gradient, `2·n·d_in·d_out` and the products with both bases.
pub fn sink(
    y: Tensor<2>,
    x: Tensor<2>,
    weight: Tensor<2>,
    u: Option<Tensor<2>>,
    v: Option<Tensor<2>>,
    sink: Arc<dyn Sink>,
) -> Tensor<2> {
    assert_eq!(y.dims()[0], x.dims()[0], "rows of y and x");
    assert!([y.dtype(), x.dtype()] == [DType::F32; 2], "gradients go to a sink in f32");
    for (what, basis, width) in [("U", &u, x.dims()[1]), ("V", &v, y.dims()[1])] {
        assert!(basis.as_ref().is_none_or(|basis| basis.dims()[0] == width), "rows of {what}");
    }
    let device = y.device();
    let basis = |basis: Option<Tensor<2>>| match basis {
        Some(basis) => basis.cast(DType::F32),
        None => Tensor::zeros([0, 0], (&device.clone().without_autodiff(), DType::F32)),
    };
    let (u, v) = (basis(u).into_dispatch(), basis(v).into_dispatch());
    let (y, x, weight) = (y.into_dispatch(), x.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(Dispatch::into_sink(y, x, weight, u, v, sink))
}
