//! The sweep on a device.
//!
//! There is no backward pass: what it returns is the gradient.

#[cfg(feature = "cube")]
mod cube;
mod device;
mod host;
mod pairs;
pub mod reference;

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::{DType, Tensor};

pub use device::DeviceSweep;
pub use pairs::Pairs;

/// X = A·Bᵀ, the factor that its gradient is multiplied with, and the weights of the negative part.
#[derive(Clone, Debug)]
pub struct Factors {
    /// A, `[n, d]`.
    pub a: Tensor<2>,
    /// B, `[m, d]`.
    pub b: Tensor<2>,
    /// R, `[m, r]`.
    pub right: Tensor<2>,
    /// b(w), `[n]`.
    pub row_weights: Tensor<1>,
    /// q(c), `[m]`.
    pub column_weights: Tensor<1>,
}

#[cfg_attr(feature = "ndarray", expect(deprecated, reason = "the second CPU backend"))]
mod extension {
    use super::*;

    #[backend_extension(
        Cube: cfg(feature = "cube"),
        Flex: cfg(feature = "flex"),
        NdArray: cfg(feature = "ndarray")
    )]
    pub(crate) trait SweepOps: Backend {
        /// The objective of each row, `[n]`, and G·R, `[n, r]`.
        #[allow(
            clippy::too_many_arguments,
            reason = "the lint sees the trait, and not what the macro makes of it"
        )]
        fn sgns_sweep(
            a: FloatTensor<Self>,
            b: FloatTensor<Self>,
            right: FloatTensor<Self>,
            row_weights: FloatTensor<Self>,
            column_weights: FloatTensor<Self>,
            offsets: IntTensor<Self>,
            columns: IntTensor<Self>,
            counts: FloatTensor<Self>,
        ) -> (FloatTensor<Self>, FloatTensor<Self>);
    }
}
pub(crate) use extension::SweepOps;

/// The objective by rows of words, and the product of its gradient G = ∇F(X) with R, for X = A·Bᵀ:
/// G_wc = #(w,c)·σ(−x) − b(w)·q(c)·σ(x).
///
/// On GPUs and CPUs nothing of the size n×m is stored; other types than f32 take the reference, which
/// stores it. The product with Gᵀ is the same of swapped roles: b(w)·q(c) does not tell them apart.
///
/// # Shapes
/// Those of [`Factors`] → `[n]`, `[n, r]`
///
/// # Panics
/// If shapes do not fit together.
///
/// # Complexity
/// 2·n·m·(d + r) operations, and 2·non-zeros·(d + r).
///
/// ```
/// use burn::tensor::Tensor;
/// use sixfold_sgns::Counts;
/// use sixfold_sgns::ops::sweep::{Factors, Pairs, sweep};
///
/// let device = sixfold_model::device("flex")?;
/// let counts = Counts::from_rows(1, vec![0, 1], vec![0], vec![3.0])?;
/// let factors = Factors {
///     a: Tensor::zeros([1, 2], &device),
///     b: Tensor::ones([1, 2], &device),
///     right: Tensor::ones([1, 1], &device),
///     row_weights: Tensor::ones([1], &device),
///     column_weights: Tensor::ones([1], &device),
/// };
/// let (value, product) = sweep(factors, &Pairs::new(&counts, &device));
/// // 4·log σ(0), and 3·σ(0) − 1·σ(0)
/// assert!((value.into_scalar::<f32>() + 4.0 * 2_f32.ln()).abs() < 1e-6);
/// assert!((product.into_scalar::<f32>() - 1.0).abs() < 1e-6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn sweep(factors: Factors, pairs: &Pairs) -> (Tensor<1>, Tensor<2>) {
    let ([n, d], [m, e]) = (factors.a.dims(), factors.b.dims());
    assert_eq!(d, e, "factors of one rank");
    assert_eq!(factors.right.dims()[0], m, "a row of R for each context");
    assert_eq!(factors.row_weights.dims(), [n], "a weight for each word");
    assert_eq!(factors.column_weights.dims(), [m], "a weight for each context");
    assert_eq!(pairs.shape(), [n, m], "the pairs are of these words and contexts");
    if factors.a.dtype() != DType::F32 || factors.a.device().is_autodiff() {
        return reference::sweep(factors, pairs);
    }
    let Factors { a, b, right, row_weights, column_weights } = factors;
    let (values, product) = Dispatch::sgns_sweep(
        a.into_dispatch(),
        b.into_dispatch(),
        right.into_dispatch(),
        row_weights.into_dispatch(),
        column_weights.into_dispatch(),
        pairs.offsets().into_dispatch(),
        pairs.columns().into_dispatch(),
        pairs.counts().into_dispatch(),
    );
    (Tensor::from_dispatch(values), Tensor::from_dispatch(product))
}
