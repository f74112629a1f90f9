//! Matrices that the other side of a comparison has written.

use std::env;
use std::path::Path;

use ndarray::Array2;
use sixfold_geometry::files::{Matrix, MatrixFile};

use crate::peer::Result;

/// `<data>_<shape>.npy` in the directory `SIXFOLD_POINTS`, in memory.
///
/// # Errors
/// A variable that is not set, a file that is absent or not of f32.
pub fn read(data: &str, shape: &str) -> Result<Array2<f32>> {
    let dir = env::var("SIXFOLD_POINTS").map_err(|_| "SIXFOLD_POINTS is not set")?;
    let file = MatrixFile::open(Path::new(&dir).join(format!("{data}_{shape}.npy")))?;
    match file.matrix()? {
        Matrix::F32(x) => Ok(x.into_owned()),
        Matrix::F64(_) => Err("points are f32".into()),
    }
}
