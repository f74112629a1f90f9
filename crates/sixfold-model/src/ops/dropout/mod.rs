//! Dropout whose mask is a function of a seed and the place: nothing is stored for the backward
//! pass, and every backend drops the same elements.

mod autodiff;
#[cfg(feature = "cube")]
mod cube;
mod host;
pub mod reference;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

use super::has_kernel;

/// Which elements are dropped, and what the others are multiplied with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DropoutMask {
    seed: [u32; 2],
    /// Hashes below it are dropped.
    threshold: u32,
    scale: f32,
}

impl DropoutMask {
    /// Drops elements with this probability, and divides the others by `1 − probability`.
    ///
    /// # Panics
    /// If the probability is not in [0, 1).
    pub fn new(probability: f64, seed: u64) -> Self {
        assert!((0.0..1.0).contains(&probability), "a probability of {probability}");
        Self {
            seed: [seed as u32, (seed >> 32) as u32],
            threshold: (probability * 2f64.powi(32)) as u32,
            scale: (1.0 / (1.0 - probability)) as f32,
        }
    }

    /// What the element at `place` is multiplied with: 0, or `1/(1 − probability)`.
    ///
    /// The place goes through the finaliser of MurmurHash3, mixed with one half of the seed
    /// before and one within.
    #[inline(always)]
    pub fn factor(&self, place: u32) -> f32 {
        let mut hash = place.wrapping_mul(0x9e37_79b1) ^ self.seed[0];
        hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
        hash = (hash ^ (hash >> 13) ^ self.seed[1]).wrapping_mul(0xc2b2_ae35);
        hash ^= hash >> 16;
        if hash < self.threshold { 0.0 } else { self.scale }
    }
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
    pub(crate) trait DropoutOps: Backend {
        /// x ⊙ mask
        fn drop_out(x: FloatTensor<Self>, mask: DropoutMask) -> FloatTensor<Self>;
    }
}
pub(crate) use extension::DropoutOps;
pub(in crate::ops) use host::scale;

/// Multiplies each element with what the mask says of its place in row-major order. Linear in
/// `x`: its tangent is itself of the direction.
///
/// # Complexity
/// One pass over the memory on the CPU, in place where nobody shares it; so is the backward
/// pass. No random numbers are stored.
///
/// # References
/// Srivastava et al., *Dropout*, JMLR 15 (2014).
///
/// ```
/// use burn::tensor::Tensor;
/// use sixfold_model::ops::{DropoutMask, dropout};
///
/// let device = sixfold_model::device("flex")?;
/// let y = dropout(Tensor::<1>::ones([10_000], &device), DropoutMask::new(0.25, 7));
/// assert!((y.mean().into_scalar::<f32>() - 1.0).abs() < 0.03);
/// # Ok::<(), sixfold_model::Error>(())
/// ```
pub fn dropout<const D: usize>(x: Tensor<D>, mask: DropoutMask) -> Tensor<D> {
    if !has_kernel(&x) {
        return reference::dropout(x, mask);
    }
    Tensor::from_dispatch(Dispatch::drop_out(x.into_dispatch(), mask))
}
