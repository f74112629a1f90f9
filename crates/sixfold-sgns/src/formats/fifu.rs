//! finalfusion files: a header that lists chunks, then the chunks. Those of plain vectors are a
//! vocabulary, an array and the norms that its rows had before they were normalised.

use std::io::{self, Write};
use std::path::Path;

use ndarray::{Array1, Array2};
use sixfold_linalg::files::write_atomically;

use super::bytes::{Bytes, Problem, floats, size};
use super::words::{Words, any_word};
use crate::vectors::norm;
use crate::{Error, Result, WordVectors};

/// The first bytes of every file.
pub(super) const MAGIC: &[u8] = b"FiFu";

const VERSION: u32 = 0;
const VOCABULARY: u32 = 1;
const ARRAY: u32 = 2;
const METADATA: u32 = 5;
const NORMS: u32 = 6;

/// The type of the values of an array.
const F32: u32 = 10;

/// What stands between a header that ends at `at` and its values: 1 to 4 bytes, never none.
fn padding(at: usize) -> usize {
    4 - at % 4
}

/// Reads a whole file.
pub(super) fn read(file: &[u8], mut words: Words) -> Result<WordVectors> {
    let (matrix, places) = parse(file, &mut words).map_err(|what| words.malformed(what))?;
    words.finish(matrix, &|id| format!("byte {}", places[id]))
}

fn parse(file: &[u8], words: &mut Words) -> Result<(Array2<f32>, Vec<usize>), Problem> {
    let mut bytes = Bytes::new(file);
    bytes.take(MAGIC.len(), "the magic number")?;
    let version = bytes.u32("the version")?;
    if version != VERSION {
        return Err(format!("has version {version}, expected {VERSION}"));
    }
    let chunks = bytes.u32("the number of chunks")?;
    bytes.take(4 * chunks as usize, "the list of chunks")?;
    let (mut places, mut array, mut norms) = (None, None, None);
    while !bytes.rest().is_empty() {
        let at = bytes.at();
        let id = bytes.u32("the kind of a chunk")?;
        let length = bytes.u64("the length of a chunk")?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let begin = bytes.at();
        let content = bytes.take(length, "a chunk")?;
        let mut chunk = Bytes::new(content);
        let again = match id {
            VOCABULARY => places.is_some(),
            ARRAY => array.is_some(),
            NORMS => norms.is_some(),
            _ => false,
        };
        if again {
            return Err(format!("byte {at}: a second chunk of kind {id}"));
        }
        match id {
            VOCABULARY => places = Some(vocabulary(&mut chunk, begin, words)?),
            ARRAY => array = Some(floats_of(&mut chunk, begin, true)?),
            NORMS => norms = Some(floats_of(&mut chunk, begin, false)?),
            METADATA => {}
            3 | 7 | 8 => {
                return Err(format!(
                    "byte {at}: a vocabulary with sub-words, expected a plain one"
                ));
            }
            4 => return Err(format!("byte {at}: a quantised array, expected one of f32")),
            _ => return Err(format!("byte {at}: a chunk of kind {id}, which is not known")),
        }
    }
    let (places, n) = places.ok_or("no vocabulary")?;
    let (rows, d, values) = array.ok_or("no array")?;
    if rows != n {
        return Err(format!("{n} words, but {rows} vectors"));
    }
    let wanted = words.wanted(n);
    let values = floats(&values[..wanted * d * size_of::<f32>()]).collect();
    let mut matrix = Array2::from_shape_vec((wanted, d), values).expect("its size was compared");
    if let Some((found, _, norms)) = norms {
        if found != n {
            return Err(format!("{n} words, but {found} norms"));
        }
        for (mut row, norm) in matrix.outer_iter_mut().zip(floats(norms)) {
            row *= norm;
        }
    }
    Ok((matrix, places))
}

/// Places of the words, and how many there are.
fn vocabulary(
    chunk: &mut Bytes<'_>,
    begin: usize,
    words: &mut Words,
) -> Result<(Vec<usize>, usize), Problem> {
    let n = chunk.u64("the number of words")?;
    // Four bytes at least for each.
    if n > chunk.rest().len() as u64 / 4 {
        return Err(format!("byte {begin}: {n} words in a chunk of {} bytes", chunk.rest().len()));
    }
    let n = n as usize;
    let mut places = Vec::new();
    for _ in 0..words.wanted(n) {
        let at = begin + chunk.at();
        let length = chunk.u32("the length of a word")?;
        let bytes =
            chunk.take(length as usize, "a word").map_err(|what| format!("byte {at}: {what}"))?;
        let name =
            any_word(bytes, words.invalid_utf8()).map_err(|what| format!("byte {at}: {what}"))?;
        words.push(name, 0);
        places.push(at);
    }
    Ok((places, n))
}

/// Rows, columns and bytes of an array of f32, with one column if it is no matrix.
fn floats_of<'a>(
    chunk: &mut Bytes<'a>,
    begin: usize,
    matrix: bool,
) -> Result<(usize, usize, &'a [u8]), Problem> {
    let rows = usize::try_from(chunk.u64("the number of rows")?).unwrap_or(usize::MAX);
    let columns = if matrix { chunk.u32("the number of columns")? as usize } else { 1 };
    let kind = chunk.u32("the type of the values")?;
    if kind != F32 {
        return Err(format!("byte {begin}: values of type {kind}, expected {F32} (f32)"));
    }
    chunk.take(padding(begin + chunk.at()), "padding")?;
    let left = chunk.rest();
    if columns == 0 || size(rows, columns) != Some(left.len()) {
        let left = left.len();
        return Err(format!("byte {begin}: {rows} × {columns} values, which are not {left} bytes"));
    }
    Ok((rows, columns, left))
}

/// Writes vocabulary, array of vectors of length 1, and norms.
pub(super) fn write(vectors: &WordVectors, path: &Path) -> Result<()> {
    let norms: Array1<f64> = vectors.matrix().outer_iter().map(norm).collect();
    if let Some(id) = norms.iter().position(|norm| *norm > f64::from(f32::MAX)) {
        let what = format!("the vector of word {id} has norm {:e}, more than f32 holds", norms[id]);
        return Err(Error::malformed(path, what));
    }
    write_atomically(path, |file| {
        let mut at = 0;
        let mut put = |bytes: &[u8]| {
            at += bytes.len();
            file.write_all(bytes).map(|()| at)
        };
        put(MAGIC)?;
        for number in [VERSION, 3, VOCABULARY, ARRAY, NORMS] {
            put(&number.to_le_bytes())?;
        }
        let (n, d) = (vectors.len(), vectors.dim());
        let text: usize = vectors.vocabulary().iter().map(|(word, _)| 4 + word.len()).sum();
        begin(&mut put, VOCABULARY, 8 + text)?;
        put(&(n as u64).to_le_bytes())?;
        for (word, _) in vectors.vocabulary().iter() {
            put(&(word.len() as u32).to_le_bytes())?;
            put(word.as_bytes())?;
        }
        // All that comes before the padding of a chunk is a multiple of 4 bytes.
        let at = put(&[])?;
        begin(&mut put, ARRAY, 16 + padding(at) + 4 * n * d)?;
        put(&(n as u64).to_le_bytes())?;
        put(&(d as u32).to_le_bytes())?;
        put(&F32.to_le_bytes())?;
        put(&[0; 4][..padding(at)])?;
        for (row, norm) in vectors.matrix().outer_iter().zip(&norms) {
            let norm = if *norm > 0.0 { *norm } else { 1.0 };
            for value in row {
                put(&((f64::from(*value) / norm) as f32).to_le_bytes())?;
            }
        }
        let at = put(&[])?;
        begin(&mut put, NORMS, 12 + padding(at) + 4 * n)?;
        put(&(n as u64).to_le_bytes())?;
        put(&F32.to_le_bytes())?;
        put(&[0; 4][..padding(at)])?;
        for norm in &norms {
            put(&(*norm as f32).to_le_bytes())?;
        }
        Ok(())
    })?;
    Ok(())
}

/// The head of a chunk.
fn begin(
    put: &mut impl FnMut(&[u8]) -> io::Result<usize>,
    id: u32,
    length: usize,
) -> io::Result<()> {
    put(&id.to_le_bytes())?;
    put(&(length as u64).to_le_bytes())?;
    Ok(())
}
