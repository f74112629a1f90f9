//! A NumPy array, and a text file beside it that has the words: a word and its count a line.

use std::io::Write;
use std::path::{Path, PathBuf};

use ndarray::s;
use sixfold_linalg::files::{Matrix, MatrixFile, map_file, write_atomically, write_npy};

use super::words::{Words, check_separable, word};
use super::{InvalidUtf8, ReadConfig, text};
use crate::{Error, Result, WordVectors};

/// The file of the words.
fn vocabulary_path(path: &Path) -> PathBuf {
    path.with_extension("vocab")
}

/// Reads both files.
pub(super) fn read(array_words: Words) -> Result<WordVectors> {
    let array = MatrixFile::open(array_words.path())?;
    let matrix = array.matrix()?;
    let rows = matrix.dim().0;
    let path = vocabulary_path(array_words.path());
    let file = map_file(&path)?;
    let wanted = array_words.wanted(rows);
    let config =
        ReadConfig { limit: Some(wanted), invalid_utf8: array_words.invalid_utf8(), format: None };
    let mut words = Words::new(&path, &config);
    let mut rest = &file[..];
    let mut lines = 0;
    while !rest.is_empty() {
        let (line, after) = text::line(rest);
        rest = after;
        lines += 1;
        if lines <= wanted {
            let (word, count) = entry(line, config.invalid_utf8)
                .map_err(|what| words.malformed(format!("line {lines}: {what}")))?;
            words.push(word, count);
        }
    }
    if lines != rows {
        let array = array_words.path().display();
        return Err(words.malformed(format!("{lines} lines, but {array} has {rows} rows")));
    }
    let place = |id| format!("line {}", id + 1);
    let vocabulary = words.vocabulary(&place)?;
    let matrix = match matrix {
        Matrix::F32(x) => x.slice(s![..wanted, ..]).to_owned(),
        Matrix::F64(x) => x.slice(s![..wanted, ..]).mapv(|value| value as f32),
    };
    WordVectors::new(vocabulary, matrix).map_err(|error| match error {
        Error::NotFinite { row, column, .. } => {
            array_words.malformed(format!("value {column} of row {row} is not finite"))
        }
        other => other,
    })
}

/// A line `word` or `word count`.
fn entry(line: &[u8], invalid_utf8: InvalidUtf8) -> Result<(Box<str>, u64), String> {
    let Some(at) = line.iter().rposition(|byte| matches!(byte, b' ' | b'\t')) else {
        return Ok((word(line, invalid_utf8)?, 0));
    };
    let count = &line[at + 1..];
    let number = std::str::from_utf8(count).ok().and_then(|count| count.parse().ok());
    let count = number.ok_or_else(|| {
        format!("expected a word and its count, found `{}`", String::from_utf8_lossy(line))
    })?;
    Ok((word(text::trim_end(&line[..at]), invalid_utf8)?, count))
}

/// Writes both files, the words first.
pub(super) fn write(vectors: &WordVectors, path: &Path) -> Result<()> {
    let vocabulary = vectors.vocabulary();
    let beside = vocabulary_path(path);
    if beside == path {
        return Err(Error::malformed(path, "its words are to be in a file of that name"));
    }
    check_separable(&beside, vocabulary)?;
    write_atomically(&beside, |file| {
        vocabulary.iter().try_for_each(|(word, count)| writeln!(file, "{word} {count}"))
    })?;
    write_npy(path, vectors.matrix())?;
    Ok(())
}
