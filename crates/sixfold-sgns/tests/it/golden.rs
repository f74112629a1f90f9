//! What gensim, finalfusion and SciPy wrote and computed.

use std::path::PathBuf;

use ndarray::Array2;
use serde_json::Value;
use sixfold_linalg::files::{Matrix, MatrixFile};
use sixfold_sgns::{Vocabulary, WordVectors};

pub(crate) fn path(name: &str) -> PathBuf {
    sixfold_testkit::fixtures("sixfold-sgns").join(name)
}

pub(crate) fn golden() -> Value {
    let text = std::fs::read_to_string(path("golden.json")).expect("a golden file");
    serde_json::from_str(&text).expect("JSON")
}

pub(crate) fn words(value: &Value) -> Vec<&str> {
    value.as_array().expect("a list").iter().map(|word| word.as_str().expect("a word")).collect()
}

pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|x| x.as_f64().expect("a number")).collect()
}

/// The vectors of `vectors.npy` with their words.
pub(crate) fn vectors() -> WordVectors {
    let file = MatrixFile::open(path("vectors.npy")).expect("an array");
    let Matrix::F32(matrix) = file.matrix().expect("a matrix") else { panic!("f32") };
    let golden = golden();
    let words = words(&golden["words"]).into_iter().map(|word| (word, 0));
    WordVectors::new(Vocabulary::new(words).expect("words"), matrix.into_owned()).expect("vectors")
}

/// Words with counts and vectors that have nothing to do with each other.
pub(crate) fn random(n: usize, d: usize) -> WordVectors {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let matrix = Array2::from_shape_simple_fn((n, d), || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    });
    let words = (0..n).map(|i| (format!("w{i}"), (n - i) as u64));
    WordVectors::new(Vocabulary::new(words).expect("words"), matrix).expect("vectors")
}

pub(crate) fn names(vectors: &WordVectors) -> Vec<&str> {
    vectors.vocabulary().iter().map(|(word, _)| word).collect()
}
