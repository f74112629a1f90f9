//! Identities that every function keeps, and second opinions from elsewhere.

#![expect(clippy::float_cmp, reason = "zeros, infinities and scales by powers of two are exact")]

mod cholesky_qr2;
mod cross;
mod directions;
mod eigen;
mod errors;
mod exact;
mod explained;
#[cfg(feature = "files")]
mod files;
mod gram_solve;
mod jackknife;
mod lanczos;
mod lstsq;
mod moments;
mod polar;
mod product;
mod qr;
mod student;
mod support;
mod svd;
mod truncated;
