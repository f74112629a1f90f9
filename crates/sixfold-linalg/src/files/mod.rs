//! Matrices in files: `.npy` and `.safetensors`, memory-mapped; any file, written whole or not at all.
//!
//! ```
//! use ndarray::array;
//! use sixfold_linalg::files::{Matrix, MatrixFile, write_npy};
//! # let dir = tempfile::tempdir()?;
//! # let path = dir.path().join("embeddings.npy");
//! write_npy(&path, array![[0.0_f32, 1.0], [2.0, 3.0], [4.0, 5.0]].view())?;
//! let file = MatrixFile::open(&path)?;
//! let Matrix::F32(x) = file.matrix()? else { panic!("f32 was written") };
//! assert_eq!(x.row(2), array![4.0, 5.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod atomic;
mod element;
mod error;
mod map;
mod matrix;
mod npy;
mod open;
mod tensors;
mod write;

pub use atomic::{try_write_atomically, write_atomically};
pub use error::FileError;
pub use map::map_file;
pub use matrix::{Matrix, OnMatrix};
pub use open::MatrixFile;
pub use tensors::{Dtype, TensorEntry, safetensors_header};
pub use write::write_npy;
