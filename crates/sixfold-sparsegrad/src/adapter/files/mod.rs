//! Adapters in folders: `adapter_config.json` and `adapter_model.safetensors`.
//!
//! The metadata of the safetensors file:
//!
//! | key | value |
//! |---|---|
//! | `format` | `sixfold-sparsegrad/1` |
//! | `bases` | JSON: the sides of each basis, and its hash where that is all the file has of it |
//! | `layers` | JSON: for each layer its basis, the shape of its core and the entries kept of it |
//!
//! and its tensors:
//!
//! | name | shape | what |
//! |---|---|---|
//! | `bases.<name>.input`, `bases.<name>.output` | `[d, r]`, f32 or bf16 | U and V; none for an identity |
//! | `layers.<path>.values` | `[k]`, f32 or bf16 | the trained entries of the core |
//! | `layers.<path>.indices` | `[k]`, u16 or u32 | where they are, row by row, ascending; none for a full core |
//!
//! Indices are 16 bits wide where the core has no more than 65 536 entries.

mod open;
pub(crate) mod read;
mod save;
pub(crate) mod write;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use half::bf16;
use serde::{Deserialize, Serialize};
use sixfold_linalg::files::Dtype;

use crate::{Basis, Side};

/// What the metadata say under `format`: a name and a version.
const FORMAT: &str = "sixfold-sparsegrad/1";

/// The largest core whose indices have 16 bits.
const SMALL_CORE: usize = 1 << 16;

/// The settings of the adapter in a folder.
pub(crate) fn config_file(dir: &Path) -> PathBuf {
    dir.join("adapter_config.json")
}

/// Its tensors.
pub(crate) fn model_file(dir: &Path) -> PathBuf {
    dir.join("adapter_model.safetensors")
}

/// What numbers are stored as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// As they are.
    #[default]
    F32,
    /// Rounded to 8 bits of mantissa, in half the bytes.
    Bf16,
}

impl Precision {
    pub(crate) fn dtype(self) -> Dtype {
        match self {
            Self::F32 => Dtype::F32,
            Self::Bf16 => Dtype::BF16,
        }
    }

    /// Whether a value stays finite.
    pub(crate) fn holds(self, value: f32) -> bool {
        match self {
            Self::F32 => value.is_finite(),
            Self::Bf16 => bf16::from_f32(value).is_finite(),
        }
    }
}

/// What a file has of the bases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoredBases {
    /// Their columns.
    Values(Precision),
    /// Their hash: who opens the file has to bring them.
    Hash,
}

/// How an adapter is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SaveOptions {
    /// The trained entries.
    pub values: Precision,
    /// The bases.
    pub bases: StoredBases,
}

/// Nothing is lost.
impl Default for SaveOptions {
    fn default() -> Self {
        Self { values: Precision::F32, bases: StoredBases::Values(Precision::F32) }
    }
}

/// The metadata of a basis.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BasisRecord {
    input: SideRecord,
    output: SideRecord,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hash: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum SideRecord {
    Identity(usize),
    Columns([usize; 2]),
}

/// The metadata of a layer.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LayerRecord {
    basis: String,
    core: [usize; 2],
    kept: usize,
}

impl SideRecord {
    fn of(side: &Side) -> Self {
        match side {
            Side::Identity(d) => Self::Identity(*d),
            Side::Columns(columns) => Self::Columns([columns.nrows(), columns.ncols()]),
        }
    }
}

impl LayerRecord {
    /// Entries of the core, or nothing where there are more than an index can count.
    fn size(&self) -> Option<usize> {
        let size = self.core[0].checked_mul(self.core[1])?;
        u32::try_from(size).is_ok().then_some(size)
    }
}

/// The type of the indices of a core.
fn index_type(size: usize) -> Dtype {
    if size <= SMALL_CORE { Dtype::U16 } else { Dtype::U32 }
}

fn values_name(path: &str) -> String {
    format!("layers.{path}.values")
}

fn indices_name(path: &str) -> String {
    format!("layers.{path}.indices")
}

/// The sides of a basis and the names of their tensors.
fn sides<'a>(name: &str, basis: &'a Basis) -> [(String, &'a Side); 2] {
    [(format!("bases.{name}.input"), &basis.input), (format!("bases.{name}.output"), &basis.output)]
}

type Records<K, T> = BTreeMap<K, T>;
