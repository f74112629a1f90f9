//! The parts that need no model.

mod augment;
mod compat;
mod detect;
mod erase;
mod filter;
mod metrics;
mod ngram;
mod oracle;
mod power;
mod racing;
mod rank;
mod resume;
mod search;
mod toy;
mod transfer;
