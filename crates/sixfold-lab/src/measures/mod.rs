//! The measures of the linearity profile, from streamed moments.
//!
//! They move to `sixfold-linearity` when that crate comes; the lab keeps no copy then.

pub(crate) mod linearity;
