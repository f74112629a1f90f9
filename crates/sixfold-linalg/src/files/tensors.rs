//! What stands in front of the data of a `.safetensors` file.

use safetensors::tensor::TensorInfo;
use serde_json::{Map, Value, json};

pub use safetensors::tensor::Dtype;

/// A tensor to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorEntry {
    /// Its name.
    pub name: String,
    /// The type of its values.
    pub dtype: Dtype,
    /// Its shape.
    pub shape: Vec<usize>,
}

impl TensorEntry {
    /// A tensor of that name, type and shape.
    pub fn new(name: impl Into<String>, dtype: Dtype, shape: impl Into<Vec<usize>>) -> Self {
        Self { name: name.into(), dtype, shape: shape.into() }
    }
}

/// The length and the header of a `.safetensors` file, after which the little-endian values of `entries` follow
/// in their order, with nothing between them.
///
/// For files that are written value by value: the writer of `safetensors` wants all bytes at once, orders
/// metadata by chance, and makes a file that only its owner can read.
///
/// ```
/// use sixfold_linalg::files::{Dtype, MatrixFile, TensorEntry, safetensors_header};
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("x.safetensors");
/// let mut file = safetensors_header(&[("format", "pt")], &[TensorEntry::new("x", Dtype::F32, [1, 2])]);
/// file.extend([3.0_f32, 4.0].into_iter().flat_map(f32::to_le_bytes));
/// std::fs::write(&path, file)?;
/// assert_eq!(MatrixFile::open(&path)?.tensor("x")?.dim(), (1, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn safetensors_header(metadata: &[(&str, &str)], entries: &[TensorEntry]) -> Vec<u8> {
    let words: Map<String, Value> =
        metadata.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
    let mut header = Map::from_iter([("__metadata__".to_owned(), Value::Object(words))]);
    let mut end = 0;
    for TensorEntry { name, dtype, shape } in entries {
        let begin = end;
        end += shape.iter().product::<usize>() * dtype.bitsize() / 8;
        let info = TensorInfo { dtype: *dtype, shape: shape.clone(), data_offsets: (begin, end) };
        header.insert(name.clone(), json!(info));
    }
    let header = Value::Object(header).to_string();
    // So that data begin at a multiple of 8 bytes.
    let length = header.len().next_multiple_of(8);
    let mut bytes = (length as u64).to_le_bytes().to_vec();
    bytes.extend(header.into_bytes());
    bytes.resize(size_of::<u64>() + length, b' ');
    bytes
}
