//! Reading a text and cutting it into words.
//!
//! A document is a line, and windows never leave it. The text is read in blocks that end at line
//! ends; blocks are cut into words on all threads and put together in the order of the text, so
//! nothing depends on the number of threads.

mod blocks;
mod config;
mod files;
mod store;
mod tokenise;
mod words;

pub use config::{CorpusConfig, InvalidUtf8, Normalise, Shard};
pub(crate) use files::text_file;
pub(crate) use store::{Store, Tokens};
pub(crate) use tokenise::END;
pub use words::{WordCounts, count_words};
pub(crate) use words::{encode, encode_into, for_each_document};
