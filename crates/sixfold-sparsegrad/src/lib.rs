//! SparseGrad: fine-tuning through about 1 % of a rotated gradient.
//!
//! The gradients of a weight matrix, seen in the right coordinates, are nearly sparse. A few batches show the
//! coordinates ([`basis`]); then only the largest entries of the rotated gradient are kept and trained ([`Mask`]),
//! with an optimiser whose state is as small as they are. What comes out is an [`Adapter`]: files of a few
//! megabytes, which merge into the weights or become a LoRA of Hugging Face PEFT. What it costs in memory,
//! [`memory`] says before.
//!
//! | what | where |
//! |---|---|
//! | coordinates: from gradients, weights, chance; rotations and updates | [`basis`], [`GramCalibration`] |
//! | which entries | [`select`], [`Mask`] |
//! | their moments and gradients | [`adam`], [`sampled`] |
//! | settings | [`SparseGradConfig`] |
//! | calibration, training, adapters of models | `calibrate`, `attach`, `adapter_of`, `merge`, `with_adapter` |
//! | projections and their operations on devices | `Adapted`, `SparseLinear`, `SunkLinear`, `LoraLinear`, `ops` |
//! | files | [`adapter`], [`lora`] |
//! | memory before it is used | [`memory`] |
//! | what an update looks like | [`diagnostics`] |
//!
//! Everything but models and devices works without burn; the default feature `model` adds them.

/// The examples of the README run as tests.
#[cfg(all(doctest, feature = "flex"))]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod adam;
#[cfg(feature = "model")]
mod adapted;
pub mod adapter;
pub mod basis;
pub mod config;
pub mod diagnostics;
mod error;
mod json;
pub mod lora;
mod mask;
pub mod memory;
#[cfg(feature = "model")]
pub mod ops;
mod product;
pub mod sampled;
pub mod select;
#[cfg(feature = "model")]
mod tuning;

pub use adam::{EntryTable, EntryTableParts, Kept, SparseAdamConfig};
#[cfg(feature = "model")]
pub use adapted::{
    Adaptable, Adapted, AdaptedModel, Coordinates, LoraLinear, MePropLinear, SparseLinear,
    SunkLinear,
};
pub use adapter::{
    Adapter, AdapterConfig, LayerUpdate, LoraRank, Precision, SaveOptions, StoredBases,
};
pub use basis::{Basis, GramCalibration, Side, SideSpectrum, Spectrum, Update};
pub use config::SparseGradConfig;
pub use error::{Error, Result};
pub use lora::{Lora, LoraLayer};
pub use mask::Mask;
pub use sampled::gradient_at;
pub use select::{Budget, Scores, Selection, top_k, top_k_global};
#[cfg(feature = "model")]
pub use tuning::{
    Calibration, SparseAdam, Tuned, adapter_of, attach, calibrate, merge, unload, with_adapter,
};
