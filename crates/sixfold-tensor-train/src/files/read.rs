//! Tensors of a file, with errors that name it.

use std::collections::HashMap;
use std::path::Path;

use half::{bf16, f16};
use safetensors::tensor::{Dtype, Metadata, SafeTensors};

use crate::{Error, Result};

/// A safetensors file.
pub(super) struct Tensors<'a> {
    path: &'a Path,
    metadata: Metadata,
    data: &'a [u8],
}

impl<'a> Tensors<'a> {
    pub(super) fn new(path: &'a Path, file: &'a [u8]) -> Result<Self> {
        let (header, metadata) = SafeTensors::read_metadata(file).map_err(|error| {
            let what = format!("truncated, or no safetensors file ({error})");
            Error::malformed(path, what)
        })?;
        Ok(Self { path, metadata, data: &file[size_of::<u64>() + header..] })
    }

    pub(super) fn malformed(&self, what: impl Into<String>) -> Error {
        Error::malformed(self.path, what)
    }

    /// All names, in alphabetical order.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names = self.metadata.offset_keys();
        names.sort_unstable();
        names
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.metadata.info(name).is_some()
    }

    /// A word of the metadata.
    pub(super) fn word(&self, key: &str, expected: &str) -> Result<&str> {
        let words: Option<&HashMap<String, String>> = self.metadata.metadata().as_ref();
        words.and_then(|words| words.get(key)).map(String::as_str).ok_or_else(|| {
            self.malformed(format!("no `{key}` in the metadata, expected {expected}"))
        })
    }

    fn info(&self, name: &str) -> Result<(Dtype, &[usize], &'a [u8])> {
        let info = self.metadata.info(name).ok_or_else(|| {
            let names = self.names();
            self.malformed(format!("no tensor `{name}`, found {names:?}"))
        })?;
        // Shapes, types and offsets were compared when the header was read.
        let (start, end) = info.data_offsets;
        Ok((info.dtype, &info.shape, &self.data[start..end]))
    }

    /// The bytes of a tensor that has to be of that type and shape.
    pub(super) fn exactly(&self, name: &str, dtype: Dtype, shape: &[usize]) -> Result<&'a [u8]> {
        let (found, dimensions, bytes) = self.info(name)?;
        if found == dtype && dimensions == shape {
            return Ok(bytes);
        }
        Err(self.malformed(format!(
            "tensor `{name}` is {found} {dimensions:?}, expected {dtype} {shape:?}"
        )))
    }

    /// Shape and finite values of a tensor of floats with `N` dimensions, none of which is 0.
    pub(super) fn floats<const N: usize>(&self, name: &str) -> Result<([usize; N], Vec<f32>)> {
        let (dtype, shape, bytes) = self.info(name)?;
        let wrong = |expected: &str| {
            self.malformed(format!("tensor `{name}` is {dtype} {shape:?}, expected {expected}"))
        };
        let Ok(dimensions) = <[usize; N]>::try_from(shape) else {
            return Err(wrong(&format!("{N} dimensions")));
        };
        if dimensions.contains(&0) {
            return Err(wrong("no dimension of 0"));
        }
        let values: Vec<f32> = match dtype {
            Dtype::F32 => f32s(bytes).collect(),
            Dtype::F64 => {
                bytes.as_chunks().0.iter().map(|x| f64::from_le_bytes(*x) as f32).collect()
            }
            Dtype::F16 => u16s(bytes).map(|x| f16::from_bits(x).to_f32()).collect(),
            Dtype::BF16 => u16s(bytes).map(|x| bf16::from_bits(x).to_f32()).collect(),
            _ => return Err(wrong("F32, F64, F16 or BF16")),
        };
        self.finite(name, &values)?;
        Ok((dimensions, values))
    }

    /// That there is no NaN and no infinity.
    pub(super) fn finite(&self, name: &str, values: &[f32]) -> Result<()> {
        match values.iter().position(|x| !x.is_finite()) {
            None => Ok(()),
            Some(at) => {
                let found = values[at];
                Err(self.malformed(format!("value {at} of tensor `{name}` is {found}")))
            }
        }
    }
}

/// Little-endian values.
pub(super) fn f32s(bytes: &[u8]) -> impl ExactSizeIterator<Item = f32> {
    bytes.as_chunks().0.iter().map(|&value| f32::from_le_bytes(value))
}

pub(super) fn u32s(bytes: &[u8]) -> impl ExactSizeIterator<Item = u32> {
    bytes.as_chunks().0.iter().map(|&value| u32::from_le_bytes(value))
}

pub(super) fn u16s(bytes: &[u8]) -> impl ExactSizeIterator<Item = u16> {
    bytes.as_chunks().0.iter().map(|&value| u16::from_le_bytes(value))
}
