//! Writing a matrix.

use std::io::{self, Write};
use std::path::Path;

use ndarray::ArrayView2;

use super::atomic::write_atomically;
use super::error::FileError;
use super::npy;
use crate::Real;

/// Writes a matrix as `.npy`, rows first, in its own type.
///
/// Others see the old file or the whole new one: see [`write_atomically`].
///
/// # Shapes
/// `x` is any `[rows, columns]`, any strides.
///
/// # Errors
/// [`FileError::Io`] naming `path`; then what was there is still there.
#[doc(alias = "save")]
pub fn write_npy<T: Real>(path: impl AsRef<Path>, x: ArrayView2<'_, T>) -> Result<(), FileError> {
    write_atomically(path, |file| write(file, x))
}

fn write<T: Real>(file: &mut impl Write, x: ArrayView2<'_, T>) -> io::Result<()> {
    let double = size_of::<T>() == size_of::<f64>();
    file.write_all(&npy::header(if double { "<f8" } else { "<f4" }, x.nrows(), x.ncols()))?;
    for value in x.rows().into_iter().flatten() {
        let value = value.widen();
        match double {
            true => file.write_all(&value.to_le_bytes())?,
            false => file.write_all(&(value as f32).to_le_bytes())?,
        }
    }
    Ok(())
}
