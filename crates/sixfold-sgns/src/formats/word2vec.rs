//! word2vec's binary: a line `n d`, then for each word its bytes, a space, d values of f32 and,
//! depending on the program that wrote it, the end of a line.

use std::io::Write;
use std::path::Path;

use ndarray::Array2;
use sixfold_linalg::files::write_atomically;

use super::bytes::{Bytes, Problem, floats, size};
use super::text;
use super::words::{Words, check_separable, word};
use crate::{Result, WordVectors};

/// Reads a whole file.
pub(super) fn read(file: &[u8], mut words: Words) -> Result<WordVectors> {
    let (mut values, mut places) = (Vec::new(), Vec::new());
    let d =
        parse(file, &mut words, &mut values, &mut places).map_err(|what| words.malformed(what))?;
    let matrix = Array2::from_shape_vec((words.len(), d), values).expect("d values for each word");
    words.finish(matrix, &|id| format!("byte {}", places[id]))
}

fn parse(
    file: &[u8],
    words: &mut Words,
    values: &mut Vec<f32>,
    places: &mut Vec<usize>,
) -> Result<usize, Problem> {
    let mut bytes = Bytes::new(file);
    let first = bytes.until(b'\n', "the line `words dimensions`")?;
    let (n, d) = text::header(first).ok_or("line 1: expected `words dimensions`")?;
    // A word takes a byte at least, and a space.
    let least = size(n, d).and_then(|values| n.checked_mul(2)?.checked_add(values));
    let left = bytes.rest().len();
    if d == 0 || least.is_none_or(|least| least > left) {
        return Err(format!(
            "line 1 says {n} words of {d} dimensions, which {left} bytes do not hold"
        ));
    }
    let wanted = words.wanted(n);
    values.reserve(wanted * d);
    for id in 0..wanted {
        bytes.skip(b'\n');
        let at = bytes.at();
        let named = format!("word {id}");
        let name = bytes.until(b' ', &named)?;
        let name = word(name, words.invalid_utf8()).map_err(|what| format!("byte {at}: {what}"))?;
        values.extend(floats(bytes.take(d * size_of::<f32>(), "a vector")?));
        words.push(name, 0);
        places.push(at);
    }
    bytes.skip(b'\n');
    if wanted == n && !bytes.rest().is_empty() {
        let (at, left) = (bytes.at(), bytes.rest().len());
        return Err(format!("too long: {n} words end at byte {at}, {left} bytes follow"));
    }
    Ok(d)
}

/// Writes a file as word2vec does, with the end of a line after each vector.
pub(super) fn write(vectors: &WordVectors, path: &Path) -> Result<()> {
    check_separable(path, vectors.vocabulary())?;
    write_atomically(path, |file| {
        writeln!(file, "{} {}", vectors.len(), vectors.dim())?;
        for ((word, _), row) in vectors.vocabulary().iter().zip(vectors.matrix().outer_iter()) {
            file.write_all(word.as_bytes())?;
            file.write_all(b" ")?;
            for value in row {
                file.write_all(&value.to_le_bytes())?;
            }
            file.write_all(b"\n")?;
        }
        Ok(())
    })?;
    Ok(())
}
