//! Telling attacked texts from clean ones.
//!
//! Every detector gives a text a number, the higher the more suspicious; [`Roc`] says how well
//! the number separates, and which threshold lets a chosen share of clean texts be flagged.

mod deletion;
mod leading;
mod mahalanobis;
mod ngram;
mod onion;
mod prefix;
mod roc;

pub use deletion::deletion_disagreement;
pub use leading::{LeadingConfig, LeadingWindow};
pub use mahalanobis::{Mahalanobis, Shrinkage};
pub use ngram::NgramLm;
pub use onion::{onion_filter, onion_scores};
pub use prefix::prefix_ratio;
pub use roc::{Operating, Roc};
