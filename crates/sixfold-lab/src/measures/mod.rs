//! The measures of the first experiments that have no crate of their own yet.
//!
//! They move to `sixfold-linearity` when that crate comes; the lab keeps no copy then.

pub(crate) mod linearity;
