//! Text, one word and its vector a line: word2vec's with a first line `n d`, GloVe's without.

use std::io::Write;
use std::path::Path;

use ndarray::Array2;
use rayon::prelude::*;
use sixfold_linalg::files::write_atomically;

use super::InvalidUtf8;
use super::words::{Words, check_separable, word};
use crate::{Result, WordVectors};

/// What one task parses, to the end of a line.
const CHUNK: usize = 1 << 20;

/// The first line without its end, and what follows.
pub(super) fn line(text: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr(b'\n', text).unwrap_or(text.len());
    (trim_end(&text[..end]), text.get(end + 1..).unwrap_or(&[]))
}

/// The numbers of a line `n d`.
pub(super) fn header(line: &[u8]) -> Option<(usize, usize)> {
    let mut numbers = std::str::from_utf8(line).ok()?.split_ascii_whitespace().map(str::parse);
    match (numbers.next()?, numbers.next()?, numbers.next()) {
        (Ok(n), Ok(d), None) => Some((n, d)),
        _ => None,
    }
}

/// Whether a line is a word and `d` numbers, or any number of them.
pub(super) fn is_vector(line: &[u8], d: Option<usize>) -> bool {
    let d = d.unwrap_or_else(|| dimensions(line));
    d > 0 && parse(line, d, InvalidUtf8::Replace, &mut Vec::new()).is_ok()
}

/// Without separators and ends of lines behind the last field. Other white space may be part of a word.
pub(super) fn trim_end(line: &[u8]) -> &[u8] {
    let last = line.iter().rposition(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
    &line[..last.map_or(0, |last| last + 1)]
}

fn separates(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// How many numbers a line ends with, after its first field: the first word may have spaces in it.
fn dimensions(line: &[u8]) -> usize {
    let fields = line.split(|byte| separates(*byte)).filter(|field| !field.is_empty()).skip(1);
    let numbers: Vec<bool> = fields.map(|field| number(field).is_some()).collect();
    numbers.iter().rev().take_while(|is_number| **is_number).count()
}

fn number(field: &[u8]) -> Option<f32> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

fn fields(line: &[u8]) -> usize {
    line.split(|byte| separates(*byte)).filter(|field| !field.is_empty()).count()
}

/// Reads a whole file, of which the first line is `n d` or a vector already.
pub(super) fn read(file: &[u8], with_header: bool, mut words: Words) -> Result<WordVectors> {
    let (first, rest) = line(file);
    let (n, d, body) = if with_header {
        let (n, d) = header(first).ok_or_else(|| {
            let found = String::from_utf8_lossy(&first[..first.len().min(40)]);
            words.malformed(format!("line 1: expected `words dimensions`, found `{found}`"))
        })?;
        (Some(n), d, rest)
    } else {
        (None, dimensions(first), file)
    };
    let first_line = 1 + usize::from(with_header);
    let body = trim_end(body);
    // A value takes two bytes, with what separates it.
    if d == 0 || d > body.len() / 2 + 1 {
        return Err(
            words.malformed(format!("line 1: {d} dimensions in a file of {} bytes", file.len()))
        );
    }
    let body = prefix(body, words.wanted(usize::MAX));
    let chunks = chunks(body);
    let invalid_utf8 = words.invalid_utf8();
    let parsed: Vec<Chunk> =
        chunks.into_par_iter().map(|text| Chunk::parse(text, d, invalid_utf8)).collect();
    let mut values = Vec::with_capacity(parsed.iter().map(|chunk| chunk.values.len()).sum());
    for chunk in parsed {
        for word in chunk.words {
            words.push(word, 0);
        }
        values.extend(chunk.values);
        if let Some(problem) = chunk.problem {
            return Err(words.malformed(format!("line {}: {problem}", first_line + words.len())));
        }
    }
    let found = words.len();
    if let Some(n) = n.filter(|n| words.wanted(*n) != found) {
        return Err(words.malformed(format!("line 1 says {n} words, found {found}")));
    }
    let matrix = Array2::from_shape_vec((found, d), values).expect("d values for each word");
    words.finish(matrix, &|id| format!("line {}", first_line + id))
}

/// The first `lines` lines.
fn prefix(text: &[u8], lines: usize) -> &[u8] {
    match lines.checked_sub(1).and_then(|last| memchr::memchr_iter(b'\n', text).nth(last)) {
        Some(end) => &text[..end],
        None => text,
    }
}

/// Pieces of about [`CHUNK`] bytes that end where lines end.
fn chunks(mut text: &[u8]) -> Vec<&[u8]> {
    let mut chunks = Vec::new();
    while !text.is_empty() {
        let from = text.len().min(CHUNK);
        let end = memchr::memchr(b'\n', &text[from..]).map_or(text.len(), |end| from + end + 1);
        chunks.push(&text[..end]);
        text = &text[end..];
    }
    chunks
}

/// Words and values of some lines, up to the first that is not as it should be.
#[derive(Default)]
struct Chunk {
    words: Vec<Box<str>>,
    values: Vec<f32>,
    problem: Option<String>,
}

impl Chunk {
    fn parse(mut text: &[u8], d: usize, invalid_utf8: InvalidUtf8) -> Self {
        let mut chunk = Self::default();
        while !text.is_empty() {
            let (line, rest) = line(text);
            text = rest;
            match parse(line, d, invalid_utf8, &mut chunk.values) {
                Ok(word) => chunk.words.push(word),
                Err(problem) => {
                    chunk.problem = Some(problem);
                    break;
                }
            }
        }
        chunk
    }
}

/// Adds the `d` values at the end of a line, and returns what is before them: the word.
fn parse(
    line: &[u8],
    d: usize,
    invalid_utf8: InvalidUtf8,
    values: &mut Vec<f32>,
) -> Result<Box<str>, String> {
    let begin = values.len();
    let count = || {
        let found = fields(line).saturating_sub(1);
        format!("expected a word and {d} numbers, found {found} fields after the first")
    };
    let mut rest = line;
    for _ in 0..d {
        let at = rest.iter().rposition(|byte| separates(*byte)).ok_or_else(count)?;
        let (before, field) = (&rest[..at], &rest[at + 1..]);
        values.push(number(field).ok_or_else(|| match fields(line) == d + 1 {
            true => format!("expected a number, found `{}`", String::from_utf8_lossy(field)),
            false => count(),
        })?);
        let end = before.iter().rposition(|byte| !separates(*byte)).map_or(0, |last| last + 1);
        rest = &before[..end];
    }
    values[begin..].reverse();
    // GloVe has words with spaces in them, such as `. . .`. Numbers are no part of a word, though.
    let mut pieces = rest.split(|byte| separates(*byte)).skip(1);
    if pieces.any(|piece| number(piece).is_some()) {
        return Err(count());
    }
    word(rest, invalid_utf8)
}

/// Writes a file in text.
pub(super) fn write(vectors: &WordVectors, path: &Path, with_header: bool) -> Result<()> {
    check_separable(path, vectors.vocabulary())?;
    write_atomically(path, |file| {
        if with_header {
            writeln!(file, "{} {}", vectors.len(), vectors.dim())?;
        }
        for ((word, _), row) in vectors.vocabulary().iter().zip(vectors.matrix().outer_iter()) {
            file.write_all(word.as_bytes())?;
            for value in row {
                // The shortest text that reads as the same number.
                write!(file, " {value}")?;
            }
            file.write_all(b"\n")?;
        }
        Ok(())
    })?;
    Ok(())
}
