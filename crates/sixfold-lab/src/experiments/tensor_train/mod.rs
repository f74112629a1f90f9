//! The experiments of `sixfold-tensor-train`.

mod compress;
mod ctr;
mod sentiment;
mod tables;

pub use compress::{Compress, CompressConfig, GlueRef, OrderName, TableRef};
pub use ctr::{ClicksRef, Ctr, CtrConfig, CtrRecipe};
pub use sentiment::{ReviewsRef, Sentiment, SentimentConfig, SentimentRecipe};
pub use tables::{Choice, Form, UnknownTable};
