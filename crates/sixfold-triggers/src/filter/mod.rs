//! Which tokens may be tried.
//!
//! Every rule sees the vocabulary as a [`Vocabulary`]: strings, special ids and the mark that tells where words
//! begin. Nothing here knows a tokenizer.

mod apply;
mod association;
mod config;
mod vocabulary;

pub use apply::{Filtered, Rule, TokenFilter};
pub use association::ClassCounts;
pub use config::{AssociationConfig, FilterConfig, Words};
pub use vocabulary::{Vocabulary, WordMark};

/// Whether tokens, decoded to text and encoded again, are the same: what a tokenizer knows and nothing here does.
pub type RoundTrip<'a> = &'a dyn Fn(&[u32]) -> bool;
