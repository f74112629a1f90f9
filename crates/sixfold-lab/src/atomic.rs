//! Files that are either whole or absent.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::error::doing;

/// How the names of files begin that are not whole yet.
const TEMPORARY: &str = ".tmp-";

/// Writes `bytes` to `path` through a temporary file beside it, then renames.
///
/// A reader sees the old file or the new one, never a part; on failure the old one stays and
/// the temporary file is gone.
///
/// # Errors
/// Any failure of the file system, naming `path`.
pub fn atomic_write(path: &Path, bytes: impl AsRef<[u8]>) -> Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(dir)?;
        file.write_all(bytes.as_ref())?;
        file.as_file().sync_data()?;
        set_usual_permissions(file.as_file())?;
        file.persist(path).map_err(|failed| failed.error)?;
        Ok(())
    };
    write().with_context(|| doing("write", path))
}

/// Removes what a process left below `dir` that was killed while it wrote.
///
/// Only for a directory that no other process writes to. What cannot be removed stays: it has no final name.
pub(crate) fn remove_leftovers(dir: &Path) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            remove_leftovers(&path);
        } else if name.starts_with(TEMPORARY) {
            let _ = fs::remove_file(&path);
        }
    }
}

/// Temporary files are private to their owner; results are ordinary files.
#[cfg(unix)]
fn set_usual_permissions(file: &fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn set_usual_permissions(_file: &fs::File) -> std::io::Result<()> {
    Ok(())
}

/// `create_dir_all` with an error that names the directory.
///
/// # Errors
/// Any failure of the file system, naming `dir`.
pub fn create_dir(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).with_context(|| doing("create the directory", dir))
}
