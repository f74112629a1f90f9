//! The experiments of `sixfold-sgns`.

mod clock;
mod config;
mod counting;
mod evaluation;
mod fit;
mod method;
mod neighbours;
mod objective;
mod similarity;
mod stochastic;
mod train;

pub use counting::CorpusRef;
pub use evaluation::EvalConfig;
pub use method::{Direction, Method, Metric, PostRef};
pub use neighbours::{Neighbours, NeighboursConfig};
pub use objective::{EuclideanRef, Objective, ObjectiveConfig, VocabularyRef};
pub use similarity::{Similarity, SimilarityConfig};
pub use stochastic::SgdRef;
pub use train::{Train, TrainConfig};
