//! Host linear algebra of the Sixfold crates, on `ndarray` views in `f32` and `f64`.
//!
//! | task | functions |
//! |---|---|
//! | products | [`matmul`], [`matmul_into`], [`gram`], [`cross_gram`] |
//! | decompositions | [`eigh`], [`qr`], [`cholesky_qr2`], [`svd`], [`truncated_svd`], [`polar`] |
//! | fits | [`lstsq`], [`solve_gram`], [`orthogonal_procrustes`] |
//! | one eigenpair | [`lanczos_largest`] |
//! | statistics in one pass | [`Moments`], [`CrossMoments`], [`PairMoments`], [`Directions`] |
//! | loops in vector instructions | [`simd`](mod@simd) |
//! | uncertainty | [`jackknife`], [`student_t_quantile`] |
//! | matrices in files (feature `files`) | `files::MatrixFile`, `files::write_npy` |
//!
//! **Precision.** Factorisations are computed in `f64` inside, whatever the input; results are
//! rounded to the type of the input. Products run in the type of the input.
//!
//! **Range.** Matrices are scaled by an exact power of two before they are factorised, so that
//! entries near 1e±150 lose nothing. A NaN or an infinity is an [`Error::NotFinite`].
//!
//! **Shapes.** Products panic where shapes do not fit, as `ndarray` does; all else returns an
//! [`Error`].

/// The example of the README runs as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod backend;
mod directions;
mod eigen;
mod error;
#[cfg(feature = "files")]
pub mod files;
mod gram_solve;
mod jackknife;
mod kernel;
mod lanczos;
mod lstsq;
mod moments;
mod operator;
mod polar;
mod product;
mod qr;
mod real;
mod scale;
pub mod simd;
mod student;
mod svd;
mod truncated;

pub use directions::{Directions, DirectionsParts};
pub use eigen::{Eigh, eigh, eigvalsh};
pub use error::{Error, Result};
pub use gram_solve::{GramFit, GramMethod, GramSolution, explain_gram, gram_rcond, solve_gram};
pub use jackknife::{Jackknife, jackknife, try_jackknife};
pub use lanczos::{Lanczos, lanczos_largest};
pub use lstsq::{LeastSquares, lstsq};
pub use moments::{
    Centred, CrossMoments, CrossMomentsParts, Moments, MomentsParts, PairMoments, Products,
    linear_cka,
};
pub use operator::LinearOperator;
pub use polar::{Polar, Procrustes, orthogonal_procrustes, polar, procrustes_from_gram};
pub use product::{
    Threads, cross_gram, cross_gram_with, gram, gram_with, matmul, matmul_into, matmul_with,
};
pub use qr::{CholeskyQr, ThinQr, cholesky_qr2, qr};
pub use real::Real;
pub use scale::ensure_finite;
pub use student::student_t_quantile;
pub use svd::{Svd, svd, svdvals};
pub use truncated::{TruncatedSvd, TruncatedSvdConfig, truncated_svd, truncated_svd_of};
