//! Files that appear whole or not at all.

use std::fs::{File, Permissions};
use std::io::{self, BufWriter};
use std::path::Path;

use super::error::FileError;

/// What is written at a time.
const BUFFER: usize = 1 << 16;

/// Calls `write` on a new file that takes the place of `path` when all of it is on the disk.
///
/// Others see the old file or the whole new one: it is written under a temporary name beside
/// `path`, synced and renamed. If anything fails, the temporary file is removed and what was there
/// is still there.
///
/// # Errors
/// [`FileError::Io`] naming `path`, also for what `write` returns.
///
/// ```
/// use std::io::Write;
/// use sixfold_linalg::files::write_atomically;
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("words.txt");
/// write_atomically(&path, |file| writeln!(file, "cat"))?;
/// assert_eq!(std::fs::read_to_string(&path)?, "cat\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_atomically<T>(
    path: impl AsRef<Path>,
    write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<T>,
) -> Result<T, FileError> {
    let path = path.as_ref();
    try_write_atomically(path, |file| write(file).map_err(FileError::io(path)))
}

/// [`write_atomically`] for what fails in more ways than files do: errors of `write` come out as
/// they are.
///
/// # Errors
/// Those of `write`, and [`FileError::Io`] naming `path`.
pub fn try_write_atomically<T, E: From<FileError>>(
    path: impl AsRef<Path>,
    write: impl FnOnce(&mut BufWriter<&File>) -> Result<T, E>,
) -> Result<T, E> {
    let path = path.as_ref();
    let named = || FileError::io(path);
    let file = beside(path).map_err(named())?;
    let mut buffered = BufWriter::with_capacity(BUFFER, file.as_file());
    let done = write(&mut buffered)?;
    // What is left in the buffer can fail too, and a drop would not say so.
    let flushed = buffered.into_inner().map_err(io::IntoInnerError::into_error);
    flushed.and_then(File::sync_data).map_err(named())?;
    file.persist(path).map_err(|failed| named()(failed.error))?;
    Ok(done)
}

/// A new file under a temporary name in the directory of `path`.
fn beside(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".tmp-");
    if let Some(permissions) = usual_permissions() {
        builder.permissions(permissions);
    }
    builder.tempfile_in(dir)
}

/// Temporary files are private to their owner; this becomes an ordinary one, within the mask of
/// the process.
fn usual_permissions() -> Option<Permissions> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        Some(Permissions::from_mode(0o666))
    }
    #[cfg(not(unix))]
    None
}
