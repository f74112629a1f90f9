//! Universal triggers: audit your own text classifier, layer by layer, and defend it.
//!
//! A universal trigger is one short token sequence that, put into any input, changes the answer of a classifier.
//! This crate searches for such sequences against a model that you own, with your own unlabelled texts, and says how
//! often they change its answer, what the same search finds by chance, and what a defence would certify.
//!
//! The search does not know burn: it sees a classifier as a [`Victim`] and a method as a [`Scorer`].

/// The examples of the README as tests: the first is compiled, the second runs.
#[cfg(all(doctest, feature = "flex"))]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod augment;
pub mod defence;
pub mod detect;
mod error;
pub mod example;
pub mod filter;
pub mod metrics;
#[cfg(feature = "model")]
mod model;
pub mod power;
pub mod score;
pub mod search;
mod streams;
pub mod transfer;
pub mod victim;

pub use augment::{AugmentConfig, Augmented, augment};
pub use defence::{Certificate, EraseVote, EraseVoteConfig, Side, Verdict, Verdicts};
pub use detect::{
    LeadingConfig, LeadingWindow, Mahalanobis, NgramLm, Roc, Shrinkage, prefix_ratio,
};
pub use error::{Error, Result};
pub use example::{Example, Field, Placement, Sequence};
pub use filter::{FilterConfig, Filtered, RoundTrip, TokenFilter, Vocabulary};
pub use metrics::{
    BootstrapConfig, Interval, LanguageModel, Outcomes, Summary, area_under_best, bootstrap,
    mean_interval, paired_difference, perplexity, predictions, probabilities,
};
#[cfg(feature = "model")]
pub use model::{
    Derivative, EncodeConfig, LayerMap, Luat, LuatConfig, ModelVictim, Rows, Start, Text, Uat,
    encode, round_trip, sensitivity, vocabulary,
};
pub use power::{Exponent, SingularConfig, SingularVector, Stacked, singular_vector};
pub use score::{GradRandomControl, RandomControl, Scorer, TokenScores};
pub use search::{
    Account, Best, Clean, Fingerprint, Ledger, RacingConfig, Rate, Search, SearchConfig,
    SearchOutcome, SearchState, Stop, Trigger, Update,
};
pub use transfer::{Evidence, Gain, Headline, Pairs, Protocol, Proxy, Split, Table, Trial};
pub use victim::{Forwards, Victim};
