//! What does not fit into memory lies in a file without a name.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::{Error, Result};

/// A temporary file that only grows. It has no name where the system allows that, so nothing is
/// left behind, however the process ends.
#[derive(Debug)]
pub(crate) struct Spill {
    dir: PathBuf,
    file: Mutex<File>,
    len: u64,
}

impl Spill {
    pub(crate) fn new(dir: Option<&PathBuf>) -> Result<Self> {
        let dir = dir.cloned().unwrap_or_else(std::env::temp_dir);
        let file = tempfile::tempfile_in(&dir).map_err(Error::io(&dir))?;
        Ok(Self { dir, file: Mutex::new(file), len: 0 })
    }

    /// Appends, and tells where.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<u64> {
        let file = self.file.get_mut().unwrap_or_else(PoisonError::into_inner);
        let written = file.seek(SeekFrom::Start(self.len)).and_then(|_| file.write_all(bytes));
        written.map_err(Error::io(&self.dir.join("(a temporary file)")))?;
        self.len += bytes.len() as u64;
        Ok(self.len - bytes.len() as u64)
    }

    /// Reads what was appended at `offset`.
    pub(crate) fn read(&self, offset: u64, bytes: &mut [u8]) -> Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let read = file.seek(SeekFrom::Start(offset)).and_then(|_| file.read_exact(bytes));
        read.map_err(Error::io(&self.dir.join("(a temporary file)")))
    }
}
