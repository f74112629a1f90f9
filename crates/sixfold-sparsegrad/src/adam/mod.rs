//! Adam for a few entries, with a state as small as they are.

mod config;
mod evict;
mod kernel;
mod parts;
mod powers;
mod slots;
mod table;

pub use config::{BiasCorrection, Rule, SparseAdamConfig, Stale};
pub use parts::EntryTableParts;
pub use table::{EntryTable, Kept};
