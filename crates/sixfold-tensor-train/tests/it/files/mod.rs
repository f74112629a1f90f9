//! Files: the way there and back, those of other programs, and broken ones.

mod broken;
mod import;
mod round_trip;

use std::path::PathBuf;

use safetensors::tensor::{Dtype, TensorView};

/// A file of the tests, of its own name for each.
pub(crate) fn place(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// A tensor that the official writer writes.
pub(crate) struct Tensor {
    pub(crate) name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Tensor {
    pub(crate) fn f32(name: &str, shape: &[usize], values: &[f32]) -> Self {
        Self::new(name, Dtype::F32, shape, values.iter().flat_map(|x| x.to_le_bytes()).collect())
    }

    pub(crate) fn u32(name: &str, shape: &[usize], values: &[u32]) -> Self {
        Self::new(name, Dtype::U32, shape, values.iter().flat_map(|x| x.to_le_bytes()).collect())
    }

    pub(crate) fn new(name: &str, dtype: Dtype, shape: &[usize], bytes: Vec<u8>) -> Self {
        Self { name: name.to_owned(), dtype, shape: shape.to_vec(), bytes }
    }
}

/// The bytes of a file of these.
pub(crate) fn official(metadata: &[(&str, &str)], tensors: &[Tensor]) -> Vec<u8> {
    let views = tensors.iter().map(|tensor| {
        let view = TensorView::new(tensor.dtype, tensor.shape.clone(), &tensor.bytes);
        (&tensor.name, view.unwrap())
    });
    let metadata = metadata.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    safetensors::serialize(views, Some(metadata)).unwrap()
}
