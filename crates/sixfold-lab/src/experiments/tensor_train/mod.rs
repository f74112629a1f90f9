//! The experiments of `sixfold-tensor-train`.

mod classifier;
mod comparison;
mod compress;
mod ctr;
mod language_model;
mod losses;
mod recipe;
mod sentiment;
mod tables;
mod training;
mod translation;

pub use classifier::ClassifierRecipe;
pub use compress::{Compress, CompressConfig, GlueRef, OrderName, TableRef};
pub use ctr::{ClicksRef, Ctr, CtrConfig};
pub use language_model::{LanguageModel, LanguageModelConfig};
pub use recipe::TransformerRecipe;
pub use sentiment::{ReviewsRef, Sentiment, SentimentConfig};
pub use tables::{Choice, Form, UnknownTable};
pub use translation::{PairFiles, Translation, TranslationConfig};
