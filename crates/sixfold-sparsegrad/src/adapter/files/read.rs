//! Tensors of a file, with errors that name it.

use std::path::Path;

use half::{bf16, f16};
use ndarray::Array2;
use safetensors::tensor::{Dtype, Metadata, SafeTensors};

use crate::{Error, Result};

/// A safetensors file.
pub(crate) struct Tensors<'a> {
    path: &'a Path,
    metadata: Metadata,
    data: &'a [u8],
}

impl<'a> Tensors<'a> {
    pub(crate) fn new(path: &'a Path, file: &'a [u8]) -> Result<Self> {
        let (header, metadata) = SafeTensors::read_metadata(file).map_err(|error| {
            let what = format!("truncated, or no safetensors file ({error})");
            Error::malformed(path, what)
        })?;
        let data = &file[size_of::<u64>() + header..];
        let end = metadata.tensors().values().map(|info| info.data_offsets.1).max().unwrap_or(0);
        if end != data.len() {
            let state = if end > data.len() { "truncated" } else { "too long" };
            let found = data.len();
            let what = format!("{state}: its tensors have {end} bytes, the file has {found}");
            return Err(Error::malformed(path, what));
        }
        Ok(Self { path, metadata, data })
    }

    pub(crate) fn malformed(&self, what: impl Into<String>) -> Error {
        Error::malformed(self.path, what)
    }

    /// All names, in alphabetical order.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names = self.metadata.offset_keys();
        names.sort_unstable();
        names
    }

    /// A word of the metadata.
    pub(crate) fn word(&self, key: &str) -> Result<&str> {
        let words = self.metadata.metadata().as_ref();
        let word = words.and_then(|words| words.get(key));
        word.map(String::as_str)
            .ok_or_else(|| self.malformed(format!("no `{key}` in the metadata")))
    }

    fn info(&self, name: &str) -> Result<(Dtype, &[usize], &'a [u8])> {
        let info = self.metadata.info(name).ok_or_else(|| {
            let mut names = self.names();
            names.truncate(8);
            self.malformed(format!("no tensor `{name}`, found {names:?}"))
        })?;
        // Shapes, types and offsets were compared when the header was read.
        let (start, end) = info.data_offsets;
        Ok((info.dtype, &info.shape, &self.data[start..end]))
    }

    /// The finite values of a tensor of floats, of the shape where one is expected.
    fn floats(&self, name: &str, expected: Option<&[usize]>) -> Result<(Vec<usize>, Vec<f32>)> {
        let (dtype, shape, bytes) = self.info(name)?;
        if let Some(expected) = expected.filter(|expected| *expected != shape) {
            let what = format!("tensor `{name}` is {shape:?}, expected {expected:?}");
            return Err(self.malformed(what));
        }
        let values: Vec<f32> = match dtype {
            Dtype::F32 => bytes.as_chunks().0.iter().map(|x| f32::from_le_bytes(*x)).collect(),
            Dtype::F16 => halves(bytes).map(|x| f16::from_bits(x).to_f32()).collect(),
            Dtype::BF16 => halves(bytes).map(|x| bf16::from_bits(x).to_f32()).collect(),
            _ => {
                let what = format!("tensor `{name}` is {dtype}, expected F32, F16 or BF16");
                return Err(self.malformed(what));
            }
        };
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            let found = values[at];
            return Err(self.malformed(format!("value {at} of tensor `{name}` is {found}")));
        }
        Ok((shape.to_vec(), values))
    }

    /// A vector of finite floats.
    pub(crate) fn vector(&self, name: &str, len: usize) -> Result<Vec<f32>> {
        Ok(self.floats(name, Some(&[len]))?.1)
    }

    /// A matrix of finite floats, of that shape where one is given.
    pub(crate) fn matrix(&self, name: &str, expected: Option<[usize; 2]>) -> Result<Array2<f32>> {
        let (shape, values) = self.floats(name, expected.as_ref().map(|shape| &shape[..]))?;
        match shape[..] {
            [rows, columns] if rows > 0 && columns > 0 => {
                let matrix = Array2::from_shape_vec((rows, columns), values);
                Ok(matrix.expect("as many values as the shape has"))
            }
            _ => {
                let what = format!("tensor `{name}` is {shape:?}, expected rows and columns");
                Err(self.malformed(what))
            }
        }
    }

    /// Ascending indices below `size`.
    pub(crate) fn indices(
        &self,
        name: &str,
        expected: Dtype,
        len: usize,
        size: usize,
    ) -> Result<Vec<u32>> {
        let (dtype, shape, bytes) = self.info(name)?;
        if dtype != expected || shape != [len] {
            let what = format!("tensor `{name}` is {dtype} {shape:?}, expected {expected} [{len}]");
            return Err(self.malformed(what));
        }
        let indices: Vec<u32> = match dtype {
            Dtype::U16 => halves(bytes).map(u32::from).collect(),
            _ => bytes.as_chunks().0.iter().map(|x| u32::from_le_bytes(*x)).collect(),
        };
        if let Some(at) = indices.windows(2).position(|pair| pair[0] >= pair[1]) {
            let (index, before) = (indices[at + 1], indices[at]);
            let state = if index == before { "there twice" } else { "not in ascending order" };
            return Err(self.malformed(format!("index {index} of tensor `{name}` is {state}")));
        }
        match indices.last() {
            Some(last) if *last as usize >= size => {
                let what = format!("index {last} of tensor `{name}` is not one of {size}");
                Err(self.malformed(what))
            }
            _ => Ok(indices),
        }
    }
}

/// Little-endian values of 16 bits.
fn halves(bytes: &[u8]) -> impl ExactSizeIterator<Item = u16> {
    bytes.as_chunks().0.iter().map(|&value| u16::from_le_bytes(value))
}
