//! Audits of classifiers that the user owns: universal triggers, how far they carry over, and what stops them.

pub mod audit;
pub mod defend;
mod ground;
mod hunt;
pub mod keys;
pub mod methods;
mod splits;
pub mod transfer;
pub mod victims;

pub use audit::Audit;
pub use defend::Defend;
pub use transfer::Transfer;
