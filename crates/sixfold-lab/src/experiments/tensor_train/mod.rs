//! The experiments of `sixfold-tensor-train`.

mod compress;
mod sentiment;
mod tables;

pub use compress::{Compress, CompressConfig, GlueRef, OrderName, TableRef};
pub use sentiment::{ReviewsRef, Sentiment, SentimentConfig, SentimentRecipe};
pub use tables::{Choice, Form, UnknownTable};
