//! The experiments, by crate.

mod curves;
pub mod decoder;
mod encode;
mod finding;
pub mod geometry;
pub mod linearity;
pub mod profile;
mod seeds;
pub mod sgns;
pub mod sparsegrad;
mod steps;
pub mod tensor_train;
pub mod triggers;

use crate::experiment::Registry;

/// Embeds `experiments/<name>.toml` together with the path that errors name.
macro_rules! experiment_file {
    ($name:literal) => {
        $crate::config::ExperimentFile {
            path: concat!("crates/sixfold-lab/experiments/", $name, ".toml"),
            text: include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/experiments/",
                $name,
                ".toml"
            )),
        }
    };
}
pub(crate) use experiment_file;

/// All experiments of this version.
pub fn registry() -> Registry {
    Registry::new()
        .with(geometry::Manifolds)
        .with(geometry::Profile::default())
        .with(geometry::Training)
        .with(linearity::Finetune)
        .with(linearity::Microscope)
        .with(linearity::Pretrain)
        .with(linearity::Replace)
        .with(linearity::Profile::default())
        .with(sgns::Neighbours)
        .with(sgns::Objective)
        .with(sgns::Similarity)
        .with(sgns::Train)
        .with(sparsegrad::Ablation)
        .with(sparsegrad::Cost)
        .with(sparsegrad::Glue)
        .with(sparsegrad::Qa)
        .with(tensor_train::Compress)
        .with(tensor_train::Ctr)
        .with(tensor_train::LanguageModel)
        .with(tensor_train::Sentiment)
        .with(tensor_train::Translation)
        .with(triggers::Audit)
        .with(triggers::Defend)
        .with(triggers::Transfer)
}
