//! The experiments of `sixfold-tensor-train`.

mod comparison;
mod compress;
mod language_model;
mod losses;
mod recipe;
mod tables;
mod training;
mod translation;

pub use compress::{Compress, CompressConfig, GlueRef, OrderName, TableRef};
pub use language_model::{LanguageModel, LanguageModelConfig};
pub use recipe::TransformerRecipe;
pub use tables::{Choice, Form, UnknownTable};
pub use translation::{PairFiles, Translation, TranslationConfig};
