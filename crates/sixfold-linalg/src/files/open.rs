//! A file that holds one matrix, or several with names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use memmap2::Mmap;
use safetensors::tensor::{Dtype, SafeTensors};

use super::element::{Element, Stored};
use super::error::FileError;
use super::map::map_file;
use super::matrix::Matrix;
use super::npy;

/// A memory-mapped `.npy` or `.safetensors` file.
///
/// The values are read when they are used, so a matrix may be larger than the memory. What is
/// stored as f32 or f64 is viewed in place; f16 and bf16 are widened to f32.
///
/// Another process must not truncate the file while it is open.
///
/// ```no_run
/// use sixfold_linalg::files::MatrixFile;
/// let embeddings = MatrixFile::open("embeddings.npy")?;
/// println!("{:?}", embeddings.matrix()?.dim());
/// let weights = MatrixFile::open("model.safetensors")?;
/// println!("{:?}", weights.tensor("embeddings.word_embeddings.weight")?.dim());
/// # Ok::<(), sixfold_linalg::files::FileError>(())
/// ```
#[derive(Debug)]
#[doc(alias = "load")]
pub struct MatrixFile {
    path: PathBuf,
    bytes: Mmap,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Npy(Stored),
    Tensors(BTreeMap<String, Stored>),
}

impl MatrixFile {
    /// Maps a file and reads its header. The first bytes tell the two formats apart, and not the
    /// name.
    ///
    /// `.npy`: versions 1.0 to 3.0, rows or columns first, little-endian.
    ///
    /// # Errors
    /// [`FileError::Io`]; [`FileError::Malformed`] for a file of neither kind, one that is truncated, or one
    /// with something behind its last value.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref().to_owned();
        let bytes = map_file(&path)?;
        let content = if bytes.starts_with(npy::MAGIC) {
            npy::parse(&bytes).map(Content::Npy)
        } else {
            tensors(&bytes).map(Content::Tensors)
        };
        match content {
            Ok(content) => Ok(Self { path, bytes, content }),
            Err(what) => Err(FileError::Malformed { path, what }),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The names of all tensors, in alphabetical order; none in a `.npy` file.
    pub fn names(&self) -> Vec<&str> {
        match &self.content {
            Content::Npy(_) => Vec::new(),
            Content::Tensors(tensors) => tensors.keys().map(String::as_str).collect(),
        }
    }

    /// The only matrix of the file. Tensors of integers or of other than two dimensions do not
    /// count.
    ///
    /// # Errors
    /// [`FileError::Malformed`] if there is none, or more than one: the message lists the tensors.
    pub fn matrix(&self) -> Result<Matrix<'_>, FileError> {
        match &self.content {
            Content::Npy(stored) => stored.matrix(&self.bytes).map_err(|what| self.malformed(what)),
            Content::Tensors(tensors) => {
                let mut matrices = tensors.iter().filter(|(_, stored)| stored.is_matrix());
                let (Some((name, _)), None) = (matrices.next(), matrices.next()) else {
                    let what = format!("expected one matrix, found {}", self.listed());
                    return Err(self.malformed(what));
                };
                self.tensor(name)
            }
        }
    }

    /// The matrix of that name.
    ///
    /// # Errors
    /// [`FileError::Malformed`] if there is no such tensor, in which case the message lists those there
    /// are, or if it is not a matrix of floats.
    pub fn tensor(&self, name: &str) -> Result<Matrix<'_>, FileError> {
        let Content::Tensors(tensors) = &self.content else {
            return Err(self.malformed(format!("a .npy file has no names, expected `{name}`")));
        };
        let Some(stored) = tensors.get(name) else {
            return Err(self.malformed(format!("no tensor `{name}`, found {}", self.listed())));
        };
        let named = |what| self.malformed(format!("tensor `{name}` {what}"));
        stored.matrix(&self.bytes).map_err(named)
    }

    /// The first tensors, with their shapes.
    fn listed(&self) -> String {
        const SHOWN: usize = 20;
        let Content::Tensors(tensors) = &self.content else { return String::new() };
        if tensors.is_empty() {
            return "no tensors".into();
        }
        let entry = |(name, stored): (&String, &Stored)| format!("`{name}` {:?}", stored.shape);
        let mut list: Vec<String> = tensors.iter().take(SHOWN).map(entry).collect();
        if tensors.len() > SHOWN {
            list.push(format!("and {} more", tensors.len() - SHOWN));
        }
        list.join(", ")
    }

    fn malformed(&self, what: String) -> FileError {
        FileError::Malformed { path: self.path.clone(), what }
    }
}

/// The tensors of a safetensors file.
fn tensors(file: &[u8]) -> Result<BTreeMap<String, Stored>, String> {
    const EXPECTED: &str = "expected a .npy or a .safetensors file";
    let (header, metadata) =
        SafeTensors::read_metadata(file).map_err(|error| format!("{EXPECTED} ({error})"))?;
    let data = header + size_of::<u64>();
    let mut last = data;
    let mut found = BTreeMap::new();
    for (name, info) in metadata.tensors() {
        let (start, end) = info.data_offsets;
        let element = match info.dtype {
            Dtype::F16 => Ok(Element::F16),
            Dtype::BF16 => Ok(Element::Bf16),
            Dtype::F32 => Ok(Element::F32),
            Dtype::F64 => Ok(Element::F64),
            other => Err(format!("{other:?}")),
        };
        // Offsets and shapes fit together: the metadata are checked when they are read.
        let range = data + start..data + end;
        last = last.max(range.end);
        let shape = info.shape.clone();
        found.insert(name, Stored { element, shape, columns_first: false, range });
    }
    if last != file.len() {
        let state = if last > file.len() { "truncated" } else { "too long" };
        return Err(format!("{state}: its tensors end at byte {last}, the file at {}", file.len()));
    }
    Ok(found)
}
