//! Safetensors by parameter path, with every type and bit as it was.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use burn::tensor::{DType, TensorData};
use safetensors::tensor::{Dtype, Metadata, TensorInfo, View, serialize_to_file};

use crate::{Error, Result};

/// A tensor that is fetched when it is its turn to be written.
pub(super) struct Stored<'a> {
    pub(super) dtype: DType,
    pub(super) shape: Vec<usize>,
    pub(super) fetch: Box<dyn Fn() -> TensorData + 'a>,
}

/// Writes a file and waits until the disk has it.
pub(super) fn write<'a>(path: &Path, tensors: BTreeMap<String, Stored<'a>>) -> Result<()> {
    let malformed = |what: String| Error::Malformed { path: path.to_owned(), what };
    let mut views = Vec::with_capacity(tensors.len());
    for (name, stored) in tensors {
        let Some(dtype) = file_type(stored.dtype) else {
            return Err(malformed(format!("`{name}`: no form for type {:?}", stored.dtype)));
        };
        views.push((name, Writable { dtype, stored }));
    }
    serialize_to_file(views, None, path).map_err(|error| malformed(error.to_string()))?;
    let io = |source| Error::Io { path: path.to_owned(), source };
    OpenOptions::new().write(true).open(path).and_then(|file| file.sync_all()).map_err(io)
}

struct Writable<'a> {
    dtype: Dtype,
    stored: Stored<'a>,
}

impl View for Writable<'_> {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.stored.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let data = (self.stored.fetch)();
        match self.dtype {
            Dtype::BOOL => data.iter::<bool>().map(u8::from).collect::<Vec<u8>>().into(),
            _ => data.as_bytes().to_vec().into(),
        }
    }

    fn data_len(&self) -> usize {
        self.stored.shape.iter().product::<usize>() * self.dtype.bitsize() / 8
    }
}

/// A file of which only the header was read.
pub(super) struct Archive {
    pub(super) path: PathBuf,
    file: File,
    /// Where the values begin.
    data: u64,
    pub(super) tensors: BTreeMap<String, TensorInfo>,
}

impl Archive {
    /// Opens a file and compares its length with its header.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let io = |source| Error::Io { path: path.to_owned(), source };
        let malformed = |what: String| Error::Malformed { path: path.to_owned(), what };
        let mut file = File::open(path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        let mut size = [0; 8];
        if length < 8 {
            return Err(malformed(format!("truncated: {length} bytes, less than a header")));
        }
        file.read_exact(&mut size).map_err(io)?;
        let data = u64::from_le_bytes(size).saturating_add(8);
        if data > length {
            let what = format!("truncated: the header ends at byte {data}, the file at {length}");
            return Err(malformed(what));
        }
        let mut header = vec![0; (data - 8) as usize];
        file.read_exact(&mut header).map_err(io)?;
        let metadata: Metadata = serde_json::from_slice(&header)
            .map_err(|error| malformed(format!("not a safetensors header: {error}")))?;
        let tensors: BTreeMap<String, TensorInfo> =
            metadata.tensors().into_iter().map(|(name, info)| (name, info.clone())).collect();
        for (name, info) in &tensors {
            let end = data + info.data_offsets.1 as u64;
            if end > length {
                return Err(malformed(format!(
                    "truncated: tensor `{name}` ends at byte {end}, the file at {length}"
                )));
            }
        }
        Ok(Self { path: path.to_owned(), file, data, tensors })
    }

    /// The values of a tensor.
    pub(super) fn read(&mut self, name: &str) -> Result<TensorData> {
        let malformed = |what: String| Error::Malformed { path: self.path.clone(), what };
        let Some(info) = self.tensors.get(name) else {
            return Err(malformed(format!("no tensor `{name}`")));
        };
        let (start, end) = info.data_offsets;
        let mut bytes = vec![0; end - start];
        self.file
            .seek(SeekFrom::Start(self.data + start as u64))
            .and_then(|_| self.file.read_exact(&mut bytes))
            .map_err(|source| Error::Io { path: self.path.clone(), source })?;
        let shape = info.shape.clone();
        match info.dtype {
            Dtype::BOOL => {
                let values: Vec<bool> = bytes.iter().map(|&byte| byte != 0).collect();
                Ok(TensorData::new(values, shape))
            }
            // The types that optimisers work on in place need their alignment.
            Dtype::F32 => Ok(TensorData::new(numbers(&bytes, f32::from_le_bytes), shape)),
            Dtype::F64 => Ok(TensorData::new(numbers(&bytes, f64::from_le_bytes), shape)),
            dtype => match TYPES.iter().find(|(_, file)| *file == dtype) {
                Some((ours, _)) => Ok(TensorData::from_bytes_vec(bytes, shape, *ours)),
                None => Err(malformed(format!("tensor `{name}` has type {dtype:?}"))),
            },
        }
    }
}

fn numbers<T, const W: usize>(bytes: &[u8], number: fn([u8; W]) -> T) -> Vec<T> {
    bytes.as_chunks::<W>().0.iter().map(|&bytes| number(bytes)).collect()
}

const TYPES: [(DType, Dtype); 12] = [
    (DType::F64, Dtype::F64),
    (DType::F32, Dtype::F32),
    (DType::F16, Dtype::F16),
    (DType::BF16, Dtype::BF16),
    (DType::I64, Dtype::I64),
    (DType::I32, Dtype::I32),
    (DType::I16, Dtype::I16),
    (DType::I8, Dtype::I8),
    (DType::U64, Dtype::U64),
    (DType::U32, Dtype::U32),
    (DType::U16, Dtype::U16),
    (DType::U8, Dtype::U8),
];

fn file_type(dtype: DType) -> Option<Dtype> {
    match dtype {
        DType::Bool(_) => Some(Dtype::BOOL),
        _ => TYPES.iter().find(|(ours, _)| *ours == dtype).map(|(_, file)| *file),
    }
}
