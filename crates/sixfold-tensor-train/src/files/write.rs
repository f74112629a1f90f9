//! Safetensors files, value by value.
//!
//! The writer of `safetensors` wants all bytes at once, orders metadata by chance, and makes a file that only
//! its owner can read.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use safetensors::tensor::{Dtype, TensorInfo};
use serde_json::{Map, Value, json};
use sixfold_linalg::files::try_write_atomically;

use crate::{Error, Result};

/// Values that are turned into bytes at a time.
const CHUNK: usize = 4096;

/// A tensor to come.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) dtype: Dtype,
    pub(super) shape: Vec<usize>,
}

/// What tensors are written to.
pub(super) struct Output<'a, 'f> {
    path: &'a Path,
    file: &'a mut BufWriter<&'f File>,
}

impl Output<'_, '_> {
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(Error::io(self.path))
    }

    /// Values as the bytes that `bytes` makes of each.
    pub(super) fn values<T: Copy, const W: usize>(
        &mut self,
        values: &[T],
        bytes: impl Fn(T) -> [u8; W],
    ) -> Result<()> {
        for chunk in values.chunks(CHUNK) {
            let chunk: Vec<u8> = chunk.iter().flat_map(|value| bytes(*value)).collect();
            self.bytes(&chunk)?;
        }
        Ok(())
    }
}

/// Writes a file; it appears whole or not at all. `body` writes the tensors in the order of `entries`.
pub(super) fn write(
    path: &Path,
    metadata: &[(&str, &str)],
    entries: &[Entry],
    body: impl FnOnce(&mut Output<'_, '_>) -> Result<()>,
) -> Result<()> {
    let header = header(metadata, entries);
    try_write_atomically(path, |file| {
        let mut output = Output { path, file };
        output.bytes(&(header.len() as u64).to_le_bytes())?;
        output.bytes(&header)?;
        body(&mut output)
    })
}

fn header(metadata: &[(&str, &str)], entries: &[Entry]) -> Vec<u8> {
    let words: Map<String, Value> =
        metadata.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
    let mut header = Map::from_iter([("__metadata__".to_owned(), Value::Object(words))]);
    let mut end = 0;
    for Entry { name, dtype, shape } in entries {
        let begin = end;
        end += shape.iter().product::<usize>() * dtype.bitsize() / 8;
        let info = TensorInfo { dtype: *dtype, shape: shape.clone(), data_offsets: (begin, end) };
        header.insert(name.clone(), json!(info));
    }
    let mut header = Value::Object(header).to_string().into_bytes();
    // So that data begin at a multiple of 8 bytes.
    header.resize(header.len().next_multiple_of(8), b' ');
    header
}
