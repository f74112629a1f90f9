//! How good word vectors are: similarity that people gave to pairs of words, and analogies.
//!
//! [`evaluate_pairs`] and [`evaluate_analogies`] say how many of the questions could be asked at all
//! and how sure the result is; [`paired_difference`] and [`paired_accuracy`] compare two sets of
//! vectors on the same questions.

mod analogies;
mod analogy;
mod bootstrap;
mod lines;
mod lookup;
mod pairs;
mod rank;
mod similarity;

pub use analogies::{Analogies, Question, Section};
pub use analogy::{
    AnalogyConfig, AnalogyMethod, AnalogyScore, SectionScore, UnknownQuestions, evaluate_analogies,
};
pub use bootstrap::{Difference, bootstrap_interval, paired_accuracy, paired_difference};
pub use pairs::{WordPair, WordPairs};
pub use rank::{pearson, ranks, spearman};
pub use similarity::{PairsConfig, PairsScore, UnknownPairs, evaluate_pairs};
