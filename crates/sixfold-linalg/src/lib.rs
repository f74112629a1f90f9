//! Host linear algebra of the Sixfold crates, on `ndarray` views in `f32` and `f64`.
//!
//! | task | functions |
//! |---|---|
//! | products | [`matmul`], [`matmul_into`], [`gram`], [`cross_gram`] |
//! | decompositions | [`eigh`], [`qr`], [`cholesky_qr2`], [`svd`], [`truncated_svd`], [`polar`] |
//! | fits | [`lstsq`], [`solve_gram`], [`orthogonal_procrustes`] |
//! | one eigenpair | [`lanczos_largest`] |
//! | statistics in one pass | [`Moments`], [`CrossMoments`], [`PairMoments`] |
//! | uncertainty | [`jackknife`], [`student_t_quantile`] |
//!
//! **Precision.** Factorisations are computed in `f64` inside, whatever the input; results are
//! rounded to the type of the input. Products run in the type of the input.
//!
//! **Range.** Matrices are scaled by an exact power of two before they are factorised, so that
//! entries near 1e±150 lose nothing. A NaN or an infinity is an [`Error::NotFinite`].
//!
//! **Shapes.** Products panic where shapes do not fit, as `ndarray` does; all else returns an
//! [`Error`].

mod error;
mod kernel;
mod moments;
mod product;
mod real;
mod scale;

pub use error::{Error, Result};
pub use moments::{CrossMoments, CrossMomentsParts, Moments, MomentsParts, PairMoments};
pub use product::{
    Threads, cross_gram, cross_gram_with, gram, gram_with, matmul, matmul_into, matmul_with,
};
pub use real::Real;
pub use scale::ensure_finite;
