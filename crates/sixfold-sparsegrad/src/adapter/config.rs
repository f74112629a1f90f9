//! What an adapter was made with.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::config::{BasisKind, Policy};
use crate::{Error, Result};

/// What `peft_type` says.
pub const PEFT_TYPE: &str = "SPARSEGRAD";

/// The version of the files that are written.
pub const FORMAT_VERSION: u32 = 1;

/// The content of `adapter_config.json`.
///
/// Keys are those of Hugging Face PEFT where it has them. A file may leave out any key but
/// `peft_type` and `version`; one that is not known is an error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdapterConfig {
    /// [`PEFT_TYPE`].
    pub peft_type: String,
    /// [`FORMAT_VERSION`].
    pub version: u32,
    /// The model that was adapted.
    pub base_model_name_or_path: Option<String>,
    /// [`hash_matrices`](super::hash_matrices) of the matrices before they were adapted.
    pub base_model_hash: Option<String>,
    /// Patterns of the matrices that were adapted.
    pub target_modules: Vec<String>,
    /// How their entries were chosen.
    pub selection: Policy,
    /// Where their coordinates came from.
    pub basis: BasisKind,
    /// Coordinates of a side, where it was one number.
    pub rank: Option<usize>,
    /// Share of the entries that were trained.
    pub fraction: Option<f64>,
    /// The seed of the training.
    pub seed: u64,
    /// What the cores are multiplied by.
    pub scale: f32,
}

impl Default for AdapterConfig {
    fn default() -> Self {
        Self {
            peft_type: PEFT_TYPE.to_owned(),
            version: FORMAT_VERSION,
            base_model_name_or_path: None,
            base_model_hash: None,
            target_modules: Vec::new(),
            selection: Policy::default(),
            basis: BasisKind::default(),
            rank: None,
            fraction: None,
            seed: 0,
            scale: 1.0,
        }
    }
}

impl AdapterConfig {
    /// That the adapter at `path` was made for these weights, of which `found` is the
    /// [`hash_matrices`](super::hash_matrices). One that names no weights fits any.
    ///
    /// # Errors
    /// [`Error::Hash`].
    pub fn check_base(&self, path: impl AsRef<Path>, found: &str) -> Result<()> {
        match &self.base_model_hash {
            Some(expected) if expected != found => Err(Error::Hash {
                path: path.as_ref().to_owned(),
                what: "base model",
                expected: expected.clone(),
                found: found.to_owned(),
            }),
            _ => Ok(()),
        }
    }
}
