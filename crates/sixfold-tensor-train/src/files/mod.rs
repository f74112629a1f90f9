//! Tables in safetensors files.
//!
//! A file of [`save`] or [`save_quantised`] has the metadata
//!
//! | key | value |
//! |---|---|
//! | `format` | `sixfold-tensor-train/1` |
//! | `values` | what the cores are stored as: `f32`, `int8`, `f16` or `bf16` |
//! | `shape` | JSON of a [`TtShape`](crate::TtShape): `vocab`, `rows`, `columns`, `ranks` |
//!
//! and the tensors
//!
//! | name | shape | what |
//! |---|---|---|
//! | `order` (optional) | `[V]`, u32 | the row of the cores that each id has: a permutation |
//! | `scales.0`, `scales.1`, … (`int8` only) | `[I_k]`, f32 | the scale of each slice |
//! | `cores.0`, `cores.1`, … | `[I_k, r_{k−1}, J_k, r_k]` | the cores |
//!
//! Saving and loading changes no bit. Files are written under a temporary name and renamed when they are
//! whole; one that is truncated, of another version, or whose tensors are not those of its shape is an
//! [`Error::Malformed`](crate::Error) that names the file and the key. Cores with NaN or infinities are
//! neither written, so that the last sound file stays, nor read.
//!
//! [`read_reference`] and [`read_fbtt`] read what other programs saved, and [`export_dense`] writes the table
//! for programs that know no tensor trains. Files of `torch.save` have to be written as safetensors first.

mod dense;
mod import;
mod quantised;
mod read;
mod table;
mod write;

pub use dense::export_dense;
pub use import::{read_fbtt, read_reference};
pub use quantised::{load_quantised, save_quantised};
pub use table::{Saved, load, save};
