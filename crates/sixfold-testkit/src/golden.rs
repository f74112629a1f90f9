//! Golden numbers, kept as safetensors.

use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors};

/// A file of named tensors that some reference computed.
#[derive(Debug)]
pub struct Golden {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Golden {
    /// Reads a file.
    ///
    /// # Panics
    /// If it cannot be read: a golden file is part of the repository.
    pub fn open(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref().to_owned();
        let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        Self { path, bytes }
    }

    fn tensors(&self) -> SafeTensors<'_> {
        SafeTensors::deserialize(&self.bytes)
            .unwrap_or_else(|e| panic!("{}: {e}", self.path.display()))
    }

    /// All names.
    pub fn names(&self) -> Vec<String> {
        self.tensors().names().into_iter().map(str::to_owned).collect()
    }

    /// Whether there is a tensor of that name.
    pub fn has(&self, name: &str) -> bool {
        self.tensors().tensor(name).is_ok()
    }

    /// Shape and values of a float tensor.
    ///
    /// # Panics
    /// If it is not there, or not f32.
    pub fn f32(&self, name: &str) -> (Vec<usize>, Vec<f32>) {
        let (shape, bytes) = self.raw(name, Dtype::F32);
        (
            shape,
            bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
        )
    }

    /// Shape and values of a tensor in double precision.
    ///
    /// # Panics
    /// If it is not there, or not f64.
    pub fn f64(&self, name: &str) -> (Vec<usize>, Vec<f64>) {
        let (shape, bytes) = self.raw(name, Dtype::F64);
        let value = |b: &[u8]| f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]);
        (shape, bytes.chunks_exact(8).map(value).collect())
    }

    /// Shape and values of an integer tensor.
    ///
    /// # Panics
    /// If it is not there, or not i32.
    pub fn i32(&self, name: &str) -> (Vec<usize>, Vec<i32>) {
        let (shape, bytes) = self.raw(name, Dtype::I32);
        (
            shape,
            bytes.chunks_exact(4).map(|b| i32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
        )
    }

    fn raw(&self, name: &str, dtype: Dtype) -> (Vec<usize>, Vec<u8>) {
        let tensors = self.tensors();
        let view = tensors
            .tensor(name)
            .unwrap_or_else(|e| panic!("{}, tensor {name}: {e}", self.path.display()));
        assert_eq!(view.dtype(), dtype, "{}, tensor {name}", self.path.display());
        (view.shape().to_vec(), view.data().to_vec())
    }
}
