//! Writing a matrix.

use std::fs::Permissions;
use std::io::{self, Write};
use std::path::Path;

use ndarray::ArrayView2;
use sixfold_linalg::Real;

use super::npy;
use crate::{Error, Result};

/// Writes a matrix as `.npy`, rows first, in its own type.
///
/// Others see the old file or the whole new one: it is written under a temporary name beside
/// `path`, and renamed.
///
/// # Shapes
/// `x` is any `[rows, columns]`, any strides.
///
/// # Errors
/// [`Error::Io`] naming `path`; then what was there is still there.
#[doc(alias = "save")]
pub fn write_npy<T: Real>(path: impl AsRef<Path>, x: ArrayView2<'_, T>) -> Result<()> {
    let path = path.as_ref();
    write(path, x).map_err(|source| Error::Io { path: path.to_owned(), source })
}

fn write<T: Real>(path: &Path, x: ArrayView2<'_, T>) -> io::Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".tmp-");
    if let Some(permissions) = usual_permissions() {
        builder.permissions(permissions);
    }
    let mut file = builder.tempfile_in(dir)?;
    let double = size_of::<T>() == size_of::<f64>();
    file.write_all(&npy::header(if double { "<f8" } else { "<f4" }, x.nrows(), x.ncols()))?;
    let mut bytes = Vec::new();
    for row in x.rows() {
        for value in row {
            let value = value.widen();
            match double {
                true => bytes.extend(value.to_le_bytes()),
                false => bytes.extend((value as f32).to_le_bytes()),
            }
        }
        if bytes.len() >= 1 << 16 {
            file.write_all(&bytes)?;
            bytes.clear();
        }
    }
    file.write_all(&bytes)?;
    file.as_file().sync_data()?;
    file.persist(path).map_err(|failed| failed.error)?;
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
