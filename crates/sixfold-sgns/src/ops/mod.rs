//! Custom operations of this crate; see `sixfold_model::ops` for how they are laid out.

pub mod sweep;

pub use sweep::{Pairs, sweep};
