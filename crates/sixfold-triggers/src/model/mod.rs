//! The burn half: classifiers of `sixfold-model` as victims, and the scorers that need gradients.

mod encode;
mod layerwise;
mod loss;
mod memory;
mod passes;
mod profile;
mod victim;
mod words;

pub use encode::{EncodeConfig, Text, encode};
pub use layerwise::{Derivative, Luat, LuatConfig, Rows, Start};
pub use loss::Uat;
pub use profile::{LayerMap, sensitivity};
pub use victim::ModelVictim;
pub use words::{round_trip, vocabulary};
