//! Fingerprints of weights and bases.

use ndarray::{Array2, ArrayView2};
use sha2::{Digest, Sha256};

use crate::{Basis, Side};

/// Values that are turned into bytes at a time.
const CHUNK: usize = 4096;

/// The fingerprint of named matrices, one after the other.
///
/// The SHA-256 of, for each matrix, the length of its name, its name, its shape and its values row by
/// row; lengths are 64 bits, everything little-endian. Names and order count, strides do not.
///
/// ```
/// use ndarray::array;
/// use sixfold_sparsegrad::adapter::{MatrixHasher, hash_matrices};
///
/// let w = array![[1.0_f32, 2.0]];
/// let mut hasher = MatrixHasher::default();
/// hasher.add("blocks.0.mlp.up", w.view());
/// assert_eq!(hasher.finish(), hash_matrices([("blocks.0.mlp.up", w.view())]));
/// ```
#[derive(Clone, Debug, Default)]
pub struct MatrixHasher(Sha256);

impl MatrixHasher {
    /// Adds a matrix. Its values may be dropped afterwards, so that one is in memory at a time.
    pub fn add(&mut self, name: &str, matrix: ArrayView2<'_, f32>) {
        self.word(name.len());
        self.0.update(name.as_bytes());
        self.word(matrix.nrows());
        self.word(matrix.ncols());
        let mut chunk = Vec::with_capacity(CHUNK * size_of::<f32>());
        for value in matrix {
            chunk.extend(value.to_le_bytes());
            if chunk.len() == chunk.capacity() {
                self.0.update(&chunk);
                chunk.clear();
            }
        }
        self.0.update(&chunk);
    }

    fn word(&mut self, word: usize) {
        self.0.update((word as u64).to_le_bytes());
    }

    /// The hash, as 64 hexadecimal digits.
    pub fn finish(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The fingerprint of named matrices: [`MatrixHasher`] over all of them.
pub fn hash_matrices<'a>(
    matrices: impl IntoIterator<Item = (impl AsRef<str>, ArrayView2<'a, f32>)>,
) -> String {
    let mut hasher = MatrixHasher::default();
    for (name, matrix) in matrices {
        hasher.add(name.as_ref(), matrix);
    }
    hasher.finish()
}

/// The fingerprint of a basis: both sides, with an identity told apart from its columns.
pub fn hash_basis(basis: &Basis) -> String {
    let mut hasher = MatrixHasher::default();
    for (name, side) in [("input", &basis.input), ("output", &basis.output)] {
        match side {
            Side::Columns(columns) => hasher.add(name, columns.view()),
            Side::Identity(d) => {
                hasher.add(&format!("{name}.identity"), Array2::zeros((0, 0)).view());
                hasher.word(*d);
            }
        }
    }
    hasher.finish()
}
