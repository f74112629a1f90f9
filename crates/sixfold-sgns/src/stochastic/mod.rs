//! Stochastic skip-gram with negative sampling, as word2vec trains it: the baseline of the exact
//! methods.
//!
//! It draws from the text, pair by pair, what the [`Objective`](crate::Objective) sums up at once.
//! With [`SgdConfig::matched`] it maximises that very objective; with [`SgdConfig::word2vec`] it does
//! what word2vec and gensim do by default. Logistic functions are exact, not from a table.

mod config;
mod epochs;
mod fit;
mod noise;
mod piece;
mod sgd;
mod update;

pub use config::{Noise, SgdConfig};
pub use epochs::SgdStep;
pub use fit::SgdFit;
pub use sgd::Sgd;
