//! The bytes of a file, mapped.

use std::fs::File;
use std::path::Path;

use memmap2::Mmap;

use super::error::FileError;

/// Maps a file for reading.
///
/// The bytes are read when they are used, so a file may be larger than the memory. Another process
/// must not truncate it while it is mapped: reading what is gone ends the program.
///
/// # Errors
/// [`FileError::Io`].
#[expect(unsafe_code, reason = "mapping a file is unsafe by nature")]
pub fn map_file(path: impl AsRef<Path>) -> Result<Mmap, FileError> {
    let path = path.as_ref();
    let file = File::open(path).map_err(FileError::io(path))?;
    // SAFETY: the map is private and read-only. If another process truncates the file while
    // it is mapped, reading it faults; the documentation says so.
    unsafe { Mmap::map(&file) }.map_err(FileError::io(path))
}
