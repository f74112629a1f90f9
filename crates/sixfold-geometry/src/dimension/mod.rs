//! Intrinsic dimension: estimators on one table of neighbours.

mod estimate;

pub use estimate::{Caution, Dimension};
