//! Files that are there whole or not at all.

use std::fs::{File, Permissions};
use std::io::{self, BufWriter};
use std::path::Path;

use crate::{Error, Result};

/// Writes under a temporary name beside `path`, syncs, and renames: others see the old file or the
/// whole new one.
pub(crate) fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&mut File>) -> Result<()>,
) -> Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".tmp-");
    if let Some(permissions) = usual_permissions() {
        builder.permissions(permissions);
    }
    let mut file = builder.tempfile_in(dir).map_err(Error::io(path))?;
    let mut writer = BufWriter::with_capacity(1 << 16, file.as_file_mut());
    write(&mut writer)?;
    // What is left in the buffer can fail too, and a drop would not say so.
    let done = writer.into_inner().map_err(io::IntoInnerError::into_error);
    done.and_then(|file| file.sync_data()).map_err(Error::io(path))?;
    file.persist(path).map_err(|failed| Error::io(path)(failed.error))?;
    Ok(())
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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_failure_leaves_the_old_file_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kept");
        let write = |bytes: &'static [u8], full: bool| {
            write_atomically(&path, |file| {
                file.write_all(bytes).map_err(Error::io(&path))?;
                match full {
                    true => Err(Error::io(&path)(io::ErrorKind::StorageFull.into())),
                    false => Ok(()),
                }
            })
        };
        write(b"old", false).unwrap();
        let error = write(b"new", true).unwrap_err();
        assert!(matches!(&error, Error::Io { path: named, .. } if *named == path), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        write(b"new", false).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
    }
}
