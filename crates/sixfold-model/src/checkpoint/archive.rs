//! Memory-mapped safetensors: one file, or shards with an index.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use memmap2::Mmap;
use safetensors::tensor::{Dtype, SafeTensors};

use super::naming::Source;
use crate::{Error, Result};

/// The tensors of a checkpoint, none of them read yet.
#[derive(Debug)]
pub(crate) struct Archive {
    /// The directory, for messages.
    pub(crate) path: PathBuf,
    files: Vec<Mapped>,
    tensors: BTreeMap<String, Stored>,
}

#[derive(Debug)]
struct Mapped {
    path: PathBuf,
    bytes: Mmap,
}

#[derive(Clone, Debug)]
struct Stored {
    file: usize,
    start: usize,
    end: usize,
    shape: Vec<usize>,
    dtype: Dtype,
}

impl Archive {
    /// Maps `model.safetensors`, or the shards of `model.safetensors.index.json`.
    pub(crate) fn open(dir: &Path) -> Result<Self> {
        let mut archive =
            Self { path: dir.to_owned(), files: Vec::new(), tensors: BTreeMap::new() };
        let single = dir.join("model.safetensors");
        let index = dir.join("model.safetensors.index.json");
        if single.is_file() {
            archive.map(single)?;
        } else if index.is_file() {
            for (file, names) in shards(&index)? {
                let path = dir.join(&file);
                archive.map(path.clone())?;
                if let Some(name) = names.iter().find(|name| !archive.tensors.contains_key(*name)) {
                    let what =
                        format!("holds no tensor `{name}`, which {} promises", index.display());
                    return Err(Error::Malformed { path, what });
                }
            }
        } else {
            return Err(no_weights(dir));
        }
        Ok(archive)
    }

    #[expect(unsafe_code, reason = "mapping a file is unsafe by nature")]
    fn map(&mut self, path: PathBuf) -> Result<()> {
        let io = |source| Error::Io { path: path.clone(), source };
        let file = File::open(&path).map_err(io)?;
        // SAFETY: the map is private and read-only. If another process truncates the file while
        // it is mapped, reading it faults; every reader of mapped checkpoints accepts that.
        let bytes = unsafe { Mmap::map(&file) }.map_err(io)?;
        let malformed = |what: String| Error::Malformed { path: path.clone(), what };
        let (header, metadata) = SafeTensors::read_metadata(&bytes)
            .map_err(|error| malformed(format!("not a whole safetensors file ({error})")))?;
        let data = header + size_of::<u64>();
        for (name, info) in metadata.tensors() {
            let (start, end) = info.data_offsets;
            if data + end > bytes.len() {
                let what = format!(
                    "truncated: tensor `{name}` ends at byte {}, the file at {}",
                    data + end,
                    bytes.len()
                );
                return Err(malformed(what));
            }
            let stored = Stored {
                file: self.files.len(),
                start: data + start,
                end: data + end,
                shape: info.shape.clone(),
                dtype: info.dtype,
            };
            self.tensors.insert(name, stored);
        }
        self.files.push(Mapped { path, bytes });
        Ok(())
    }

    /// The names of all tensors.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The shape of a tensor.
    pub(crate) fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|stored| stored.shape.as_slice())
    }

    /// The values of a parameter of the given shape, as f32, in our layout.
    ///
    /// The stored shape must have been compared with [`stored_shape`] before.
    pub(crate) fn read(&self, source: &Source, shape: &[usize]) -> Result<Vec<f32>> {
        let stored = &self.tensors[&source.name];
        let file = &self.files[stored.file];
        let bytes = &file.bytes[stored.start..stored.end];
        let values = match stored.dtype {
            Dtype::F32 => gather(bytes, source, shape, |b: [u8; 4]| f32::from_le_bytes(b)),
            Dtype::F16 => gather(bytes, source, shape, |b: [u8; 2]| f16::from_le_bytes(b).to_f32()),
            Dtype::BF16 => {
                gather(bytes, source, shape, |b: [u8; 2]| bf16::from_le_bytes(b).to_f32())
            }
            Dtype::F64 => gather(bytes, source, shape, |b: [u8; 8]| f64::from_le_bytes(b) as f32),
            dtype => {
                let what = format!(
                    "tensor `{}` has type {dtype:?}; supported: F32, F16, BF16, F64",
                    source.name
                );
                return Err(Error::Malformed { path: file.path.clone(), what });
            }
        };
        file.forget(stored.start, stored.end);
        Ok(values)
    }
}

impl Mapped {
    /// Gives the pages of a tensor back, so that a checkpoint that was read does not count twice.
    #[expect(unsafe_code, reason = "advice that drops pages is unsafe in general")]
    fn forget(&self, start: usize, end: usize) {
        #[cfg(unix)]
        {
            // Fused tensors are read in parts: dropped pages of a clean file map come back by
            // themselves, so an early drop costs time at worst.
            // SAFETY: the map is read-only and backed by a file, so no data can be lost.
            let _ = unsafe {
                self.bytes.unchecked_advise_range(
                    memmap2::UncheckedAdvice::DontNeed,
                    start,
                    end - start,
                )
            };
        }
        let _ = (start, end);
    }
}

/// The shape under which a parameter of ours is stored.
pub(crate) fn stored_shape(source: &Source, shape: &[usize]) -> Vec<usize> {
    match *shape {
        [n] => vec![source.part.stored_len(n)],
        [d_in, d_out] if source.transposed => vec![source.part.stored_len(d_out), d_in],
        [d_in, d_out] => vec![d_in, source.part.stored_len(d_out)],
        _ => shape.to_vec(),
    }
}

/// Copies the values of a parameter out of the stored bytes.
fn gather<const W: usize>(
    bytes: &[u8],
    source: &Source,
    shape: &[usize],
    convert: impl Fn([u8; W]) -> f32,
) -> Vec<f32> {
    let at = |i: usize| {
        let mut value = [0; W];
        value.copy_from_slice(&bytes[i * W..(i + 1) * W]);
        convert(value)
    };
    match *shape {
        [n] => (0..n).map(|o| at(source.part.stored(o, n))).collect(),
        [d_in, d_out] => {
            let stored_out = source.part.stored_len(d_out);
            let mut values = Vec::with_capacity(d_in * d_out);
            if source.transposed {
                let rows: Vec<usize> =
                    (0..d_out).map(|o| source.part.stored(o, d_out) * d_in).collect();
                for i in 0..d_in {
                    values.extend(rows.iter().map(|row| at(row + i)));
                }
            } else {
                for i in 0..d_in {
                    let row = i * stored_out;
                    values.extend((0..d_out).map(|o| at(row + source.part.stored(o, d_out))));
                }
            }
            values
        }
        _ => (0..shape.iter().product()).map(at).collect(),
    }
}

/// The files of an index with the tensors that each promises.
pub(crate) fn shards(index: &Path) -> Result<BTreeMap<String, Vec<String>>> {
    let text = std::fs::read_to_string(index)
        .map_err(|source| Error::Io { path: index.to_owned(), source })?;
    let malformed = |what: String| Error::Malformed { path: index.to_owned(), what };
    let value: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))?;
    let map: HashMap<String, String> = value
        .get("weight_map")
        .cloned()
        .ok_or_else(|| malformed("no key `weight_map`".to_owned()))
        .and_then(|map| {
            serde_json::from_value(map)
                .map_err(|error| malformed(format!("key `weight_map`: {error}")))
        })?;
    let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (tensor, file) in map {
        if file.contains(['/', '\\']) {
            return Err(malformed(format!("shard `{file}` lies outside the directory")));
        }
        files.entry(file).or_default().push(tensor);
    }
    Ok(files)
}

/// Says what to do about a directory without safetensors.
fn no_weights(dir: &Path) -> Error {
    let pickle = ["pytorch_model.bin", "pytorch_model.bin.index.json"]
        .into_iter()
        .map(|name| dir.join(name))
        .find(|path| path.exists());
    match pickle {
        Some(path) => Error::Malformed {
            path,
            what: "a pickle, which Sixfold does not execute; convert it once in Python: \
                   `AutoModel.from_pretrained(dir).save_pretrained(dir, safe_serialization=True)` \
                   with the class of your head"
                .to_owned(),
        },
        None => Error::Malformed {
            path: dir.to_owned(),
            what: "holds neither model.safetensors nor model.safetensors.index.json".to_owned(),
        },
    }
}
