//! Safetensors files, value by value.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use sixfold_linalg::files::{TensorEntry, safetensors_header, try_write_atomically};

use crate::{Error, Result};

/// Values that are turned into bytes at a time.
const CHUNK: usize = 4096;

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
    entries: &[TensorEntry],
    body: impl FnOnce(&mut Output<'_, '_>) -> Result<()>,
) -> Result<()> {
    let header = safetensors_header(metadata, entries);
    try_write_atomically(path, |file| {
        let mut output = Output { path, file };
        output.bytes(&header)?;
        body(&mut output)
    })
}
