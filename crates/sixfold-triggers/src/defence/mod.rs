//! Answers that a short inserted trigger cannot change.

mod certificate;
mod config;
mod edit;
mod erase;
mod tally;

pub use certificate::Certificate;
pub use config::{EraseVoteConfig, Side};
pub use erase::{EraseVote, Verdict, Verdicts};
