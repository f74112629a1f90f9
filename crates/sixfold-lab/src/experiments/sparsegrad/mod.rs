//! Experiments of `sixfold-sparsegrad`: what its training of a few entries costs and what it gives, beside full
//! fine-tuning, LoRA, MeProp and controls.

pub mod ablation;
pub mod cost;
pub mod glue;
mod material;
mod methods;
mod outcome;
mod prepare;
pub mod qa;
mod recipe;
mod score;
mod session;
mod study;
mod tiny;
mod trainers;
mod watch;
mod ways;
mod words;

pub use ablation::Ablation;
pub use cost::Cost;
pub use glue::Glue;
pub use methods::{BasisName, Method};
pub use qa::Qa;
pub use recipe::TuningRecipe;
