//! How often a trigger changes the answer, how surely, and what it could reach at most.

mod bootstrap;
mod classes;
mod curve;
mod outcomes;
mod perplexity;
mod summary;

pub use bootstrap::{BootstrapConfig, Interval, bootstrap, mean_interval, paired_difference};
pub use classes::{predictions, probabilities};
pub use curve::area_under_best;
pub use outcomes::Outcomes;
pub use perplexity::{LanguageModel, perplexity};
pub use summary::{Accuracy, ClassRate, Collapse, Summary};
