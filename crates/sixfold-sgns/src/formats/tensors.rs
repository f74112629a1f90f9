//! Safetensors with words in them.

use std::io::Write;
use std::path::Path;

use ndarray::{Array1, Array2, ArrayViewD};
use safetensors::tensor::{Dtype, SafeTensors};
use sixfold_linalg::files::{TensorEntry, map_file, safetensors_header, write_atomically};

use super::ReadConfig;
use super::bytes::floats;
use super::words::{Words, any_word};
use crate::{Factors, Result, Vocabulary, WordVectors};

/// What the metadata say under `format`.
const FORMAT: &str = "sixfold-words/1";

/// Reads vectors, words and counts.
pub(super) fn read_vectors(file: &[u8], words: Words) -> Result<WordVectors> {
    let tensors = tensors(file).map_err(|what| words.malformed(what))?;
    let mut words = words;
    let found = matrix(&tensors, "vectors", words.wanted(usize::MAX))
        .and_then(|matrix| read_words(&tensors, &mut words).map(|n| (matrix, n)));
    let ((rows, matrix), n) = found.map_err(|what| words.malformed(what))?;
    if rows != n {
        return Err(words.malformed(format!("{n} words, but {rows} vectors")));
    }
    words.finish(matrix, &|id| format!("word {id}"))
}

/// Writes vectors, words and counts.
pub(super) fn write_vectors(vectors: &WordVectors, path: &Path) -> Result<()> {
    write(path, vectors.vocabulary(), &[("vectors", vectors.matrix().into_dyn())])
}

impl Factors {
    /// Writes a safetensors file: `u`, `s`, `v`, and words and counts as [`formats`](crate::formats)
    /// describes.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io); what was there is then still there.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let parts =
            [("u", self.u().into_dyn()), ("s", self.s().into_dyn()), ("v", self.v().into_dyn())];
        write(path.as_ref(), self.vocabulary(), &parts)
    }

    /// Reads what [`save`](Self::save) wrote.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io); [`Error::Malformed`](crate::Error::Malformed), naming the tensor;
    /// those of [`Factors::new`].
    #[doc(alias = "load")]
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = map_file(path)?;
        let mut words = Words::new(path, &ReadConfig::default());
        let parts = tensors(&file).and_then(|tensors| {
            let all = usize::MAX;
            let (u, v) = (matrix(&tensors, "u", all)?.1, matrix(&tensors, "v", all)?.1);
            let s = shaped(&tensors, "s", Dtype::F32, 1)?;
            let s: Array1<f32> = floats(s.1).collect();
            read_words(&tensors, &mut words)?;
            Ok((u, s, v))
        });
        let (u, s, v) = parts.map_err(|what| words.malformed(what))?;
        let vocabulary = words.vocabulary(&|id| format!("word {id}"))?;
        Self::new(vocabulary, u, s, v)
    }
}

fn tensors(file: &[u8]) -> Result<SafeTensors<'_>, String> {
    SafeTensors::deserialize(file).map_err(|error| format!("no safetensors file ({error})"))
}

/// Shape and bytes of a tensor of that type and so many dimensions.
fn shaped<'a>(
    tensors: &SafeTensors<'a>,
    name: &str,
    dtype: Dtype,
    dimensions: usize,
) -> Result<(Vec<usize>, &'a [u8]), String> {
    let Ok(tensor) = tensors.tensor(name) else {
        let mut names = tensors.names();
        names.sort_unstable();
        return Err(format!("no tensor `{name}`, found {names:?}"));
    };
    let (found, shape) = (tensor.dtype(), tensor.shape());
    if found != dtype || shape.len() != dimensions {
        return Err(format!(
            "tensor `{name}` is {found:?} {shape:?}, expected {dtype:?} of {dimensions} dimensions"
        ));
    }
    Ok((shape.to_vec(), tensor.data()))
}

/// How many rows there are, and the first of them.
fn matrix(
    tensors: &SafeTensors<'_>,
    name: &str,
    limit: usize,
) -> Result<(usize, Array2<f32>), String> {
    let (shape, bytes) = shaped(tensors, name, Dtype::F32, 2)?;
    let (rows, d) = (shape[0], shape[1]);
    let wanted = rows.min(limit);
    let values = floats(bytes).take(wanted * d).collect();
    Ok((rows, Array2::from_shape_vec((wanted, d), values).expect("as many bytes as the shape has")))
}

/// Adds the words, and returns how many there are in all.
fn read_words(tensors: &SafeTensors<'_>, words: &mut Words) -> Result<usize, String> {
    let text = shaped(tensors, "words", Dtype::U8, 1)?.1;
    let offsets = integers(shaped(tensors, "word_offsets", Dtype::I64, 1)?.1);
    let counts = integers(shaped(tensors, "counts", Dtype::I64, 1)?.1);
    let n = counts.len();
    if offsets.len() != n + 1 {
        return Err(format!("`word_offsets` has {} values for {n} words", offsets.len()));
    }
    for i in 0..words.wanted(n) {
        let range = usize::try_from(offsets[i]).ok().zip(usize::try_from(offsets[i + 1]).ok());
        let bytes = range.and_then(|(begin, end)| text.get(begin..end)).ok_or_else(|| {
            format!(
                "`word_offsets` of word {i}: {} to {} of {} bytes",
                offsets[i],
                offsets[i + 1],
                text.len()
            )
        })?;
        let name =
            any_word(bytes, words.invalid_utf8()).map_err(|what| format!("word {i}: {what}"))?;
        let count = u64::try_from(counts[i])
            .map_err(|_| format!("`counts` of word {i} is {}", counts[i]))?;
        words.push(name, count);
    }
    Ok(n)
}

fn integers(bytes: &[u8]) -> Vec<i64> {
    bytes.as_chunks().0.iter().map(|&chunk| i64::from_le_bytes(chunk)).collect()
}

/// Writes integers first, then floats, then bytes, so that all are aligned.
fn write(
    path: &Path,
    vocabulary: &Vocabulary,
    floats: &[(&str, ArrayViewD<'_, f32>)],
) -> Result<()> {
    let (mut text, mut offsets, mut counts) = (Vec::new(), vec![0_i64], Vec::new());
    for (word, count) in vocabulary.iter() {
        text.extend(word.bytes());
        offsets.push(text.len() as i64);
        counts.push(count as i64);
    }
    let mut entries = vec![
        TensorEntry::new("word_offsets", Dtype::I64, [offsets.len()]),
        TensorEntry::new("counts", Dtype::I64, [counts.len()]),
    ];
    entries.extend(floats.iter().map(|(name, x)| TensorEntry::new(*name, Dtype::F32, x.shape())));
    entries.push(TensorEntry::new("words", Dtype::U8, [text.len()]));
    let header = safetensors_header(&[("format", FORMAT)], &entries);
    write_atomically(path, |file| {
        file.write_all(&header)?;
        for value in offsets.iter().chain(&counts) {
            file.write_all(&value.to_le_bytes())?;
        }
        for value in floats.iter().flat_map(|(_, x)| x.iter()) {
            file.write_all(&value.to_le_bytes())?;
        }
        file.write_all(&text)
    })?;
    Ok(())
}
