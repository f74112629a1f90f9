//! Counts of pairs as files: shards that add up, and records for other programs.

use std::io::Write;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;
use sixfold_linalg::files::try_write_atomically;

use super::config::{CountConfig, Sides};
use super::counter::Counter;
use super::matrix::{Scale, matrix};
use super::row::{RowSums, read_row};
use super::run::{Groups, Run};
use super::windows::{UNKNOWN, keep_probabilities};
use crate::container::{self, Container};
use crate::corpus::{CorpusConfig, Shard, encode_into};
use crate::parts::{self, Header};
use crate::{Counts, Error, Result, Vocabulary};

const MAGIC: &[u8; 8] = b"6sgnspr\x01";
const KIND: &str = "a file of pair counts (count, merge)";

/// Counts the pairs of a shard of a text into a file.
///
/// The files of all shards, [merged](merge_shards), are byte for byte the file of
/// [`Shard::WHOLE`]. They hold whole numbers, before sub-sampling in expectation.
///
/// The payload is the rows of all words, one behind the other. A row is, for each context in
/// rising order, the difference of its id to that of the context before (to −1 at first) and the
/// count in units of 1/window (of 1 for fixed windows), then 0; numbers are LEB128.
///
/// # Errors
/// Those of [`count`](super::count), save that a shard may have no pairs; on error what was at
/// `path` is still there.
pub fn count_shard(
    corpus: &CorpusConfig,
    shard: Shard,
    vocabulary: &Vocabulary,
    config: &CountConfig,
    path: impl AsRef<Path>,
) -> Result<()> {
    config.validate()?;
    let keep = keep_probabilities(vocabulary, config)?;
    let mut counter = Counter::new(vocabulary.iter().map(|(_, n)| n), keep.as_deref(), config);
    encode_into(corpus, shard, vocabulary, UNKNOWN, config.memory, |batch| {
        counter.add(batch, None)
    })?;
    let (groups, run) = counter.finish()?;
    let header = header(corpus, shard, vocabulary, config);
    container::write(path.as_ref(), MAGIC, &header, |out| {
        (0..groups.rows.len()).try_for_each(|group| out.write(run.segment(group)?.bytes()))
    })
}

fn header(
    corpus: &CorpusConfig,
    shard: Shard,
    vocabulary: &Vocabulary,
    config: &CountConfig,
) -> Header {
    let mut header = Header::new(corpus, shard, vocabulary.len());
    for (name, value) in [
        ("vocabulary", checksum(vocabulary).into()),
        ("window", config.window.into()),
        ("dynamic", config.dynamic.into()),
        ("subsample", json(&config.subsample)),
        ("unknown", json(&config.unknown)),
        ("sides", json(&config.sides)),
    ] {
        header.options.insert(name.into(), value);
    }
    header
}

/// Names, numbers, and structures of these; their JSON cannot fail.
fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn checksum(vocabulary: &Vocabulary) -> u32 {
    let mut crc = flate2::Crc::new();
    for (word, count) in vocabulary.iter() {
        crc.update(word.as_bytes());
        crc.update(b"\t");
        crc.update(&count.to_le_bytes());
    }
    crc.sum()
}

/// Adds the files of all shards of a text into one.
///
/// A row at a time is in memory, beside what the system keeps of the files.
///
/// # Errors
/// [`Error::Io`]; [`Error::Malformed`] for a file that is damaged, of another text, vocabulary or
/// configuration, there twice, or missing.
pub fn merge_shards(paths: &[impl AsRef<Path>], merged: impl AsRef<Path>) -> Result<()> {
    let parts = parts::open(paths, MAGIC, KIND)?;
    let header = parts[0].header.whole();
    container::write(merged.as_ref(), MAGIC, &header, |out| {
        let n = header.words as usize;
        let mut sums = RowSums::new(n + 1);
        let mut left: Vec<&[u8]> = parts.iter().map(Container::payload).collect();
        let mut bytes = Vec::new();
        for _ in 0..n {
            for (part, left) in parts.iter().zip(&mut left) {
                row(part, left, |column, count| sums.add(column, count))?;
            }
            sums.write_sparse(n, &mut bytes);
            if bytes.len() >= 1 << 16 {
                out.write(&bytes)?;
                bytes.clear();
            }
        }
        for (part, left) in parts.iter().zip(left) {
            ended(part, left)?;
        }
        out.write(&bytes)
    })
}

/// Takes a row, whose columns are below the number of words, and whose counts are exact as f64.
fn row(part: &Container<Header>, left: &mut &[u8], mut each: impl FnMut(u32, u64)) -> Result<()> {
    let before = *left;
    let mut fits = true;
    let read = read_row(left, |column, count| {
        fits &= u64::from(column) < part.header.words && (1..=1 << 53).contains(&count);
        if fits {
            each(column, count);
        }
    });
    match (read, fits) {
        (Some(()), true) => Ok(()),
        _ => Err(part.malformed(before, "no row of columns and counts")),
    }
}

fn ended(part: &Container<Header>, left: &[u8]) -> Result<()> {
    match left.is_empty() {
        true => Ok(()),
        false => Err(part.malformed(left, "more than the rows that it should have")),
    }
}

/// A file of pair counts of a whole text, with its vocabulary.
///
/// Another process must not truncate the file while it is open.
#[derive(Debug)]
pub struct CountsFile {
    part: Container<Header>,
    words: Vec<u64>,
    unit: u64,
    keep: Option<Vec<f64>>,
    sides: Sides,
}

impl CountsFile {
    /// Opens what [`merge_shards`] wrote, or [`count_shard`] for a whole text.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Malformed`] for a damaged file, one of several shards, or one of
    /// another vocabulary.
    pub fn open(path: impl AsRef<Path>, vocabulary: &Vocabulary) -> Result<Self> {
        let path = path.as_ref();
        let part = Container::<Header>::open(path, MAGIC, KIND)?;
        let header = &part.header;
        if header.shards != 1 {
            let what = format!("shard {} of {}; merge them first", header.shard, header.shards);
            return Err(Error::malformed(path, what));
        }
        let (found, expected) = (header.option::<u32>(path, "vocabulary")?, checksum(vocabulary));
        if found != expected || header.words != vocabulary.len() as u64 {
            let what = format!(
                "counted with another vocabulary: {} words and checksum {found}, expected {} and \
                 {expected}",
                header.words,
                vocabulary.len()
            );
            return Err(Error::malformed(path, what));
        }
        let config = CountConfig {
            window: header.option(path, "window")?,
            dynamic: header.option(path, "dynamic")?,
            subsample: header.option(path, "subsample")?,
            sides: header.option(path, "sides")?,
            ..CountConfig::default()
        };
        config.validate()?;
        let keep = keep_probabilities(vocabulary, &config)?;
        let scale = Scale::new(&config, keep.as_deref());
        let (unit, keep) = (scale.unit, scale.keep.map(<[f64]>::to_vec));
        let words = vocabulary.iter().map(|(_, count)| count).collect();
        Ok(Self { part, words, unit, keep, sides: config.sides })
    }

    fn scale(&self) -> Scale<'_> {
        Scale { unit: self.unit, keep: self.keep.as_deref() }
    }

    /// The matrix, in memory: to the last bit that of [`count_with`](super::count_with).
    ///
    /// # Errors
    /// [`Error::Malformed`]; [`Error::Empty`] without pairs.
    pub fn counts(&self) -> Result<Counts> {
        let groups = Groups::new(self.words.iter().map(|_| self.words.len() as u64));
        let mut left = self.part.payload();
        let mut segments = Vec::with_capacity(groups.rows.len());
        for rows in &groups.rows {
            let (start, mut pairs) = (left, 0);
            for _ in rows.clone() {
                row(&self.part, &mut left, |_, _| pairs += 1)?;
            }
            segments.push((pairs, &start[..start.len() - left.len()]));
        }
        ended(&self.part, left)?;
        matrix(&groups, &Run::from_segments(segments), self.scale(), self.sides == Sides::Both)
    }

    /// Writes all pairs as records of 16 bytes, little-endian: word u32, context u32, count f64,
    /// by rising word and context.
    ///
    /// With the vocabulary as text, whose line i is the word of id i, this is for other programs;
    /// numpy reads it by `fromfile(path, [("word", "<u4"), ("context", "<u4"), ("count", "<f8")])`.
    ///
    /// # Errors
    /// [`Error::Malformed`]; [`Error::Io`] naming `path`; then what was there is still there.
    pub fn export(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        try_write_atomically(path, |file| {
            let mut left = self.part.payload();
            let mut records = Vec::new();
            for word in 0..self.words.len() {
                row(&self.part, &mut left, |context, count| {
                    records.extend((word as u32).to_le_bytes());
                    records.extend(context.to_le_bytes());
                    records.extend(self.scale().value(word, context, count).to_le_bytes());
                })?;
                file.write_all(&records).map_err(Error::io(path))?;
                records.clear();
            }
            ended(&self.part, left)
        })
    }
}

/// Reads counts of `n` words from records as [`CountsFile::export`] writes them, of whatever
/// origin.
///
/// # Errors
/// [`Error::Io`]; [`Error::Malformed`] naming the byte of a record that is cut, not in order, of
/// no word, or whose count is negative or not finite; [`Error::Empty`].
pub fn import_counts(path: impl AsRef<Path>, n: usize) -> Result<Counts> {
    const RECORD: usize = 16;
    let path = path.as_ref();
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    let malformed = |at: usize, what: &str| {
        Err(Error::malformed(path, format!("record at byte {}: {what}", at * RECORD)))
    };
    let (records, rest) = bytes.as_chunks::<RECORD>();
    if !rest.is_empty() {
        return malformed(records.len(), "it is cut: expected 16 bytes");
    }
    let mut offsets = vec![0usize; n + 1];
    let mut columns = Vec::with_capacity(records.len());
    let mut values = Vec::with_capacity(records.len());
    let mut last = None;
    for (at, [a, b, c, d, e, f, g, h, count @ ..]) in records.iter().enumerate() {
        let pair = (u32::from_le_bytes([*a, *b, *c, *d]), u32::from_le_bytes([*e, *f, *g, *h]));
        let count = f64::from_le_bytes(*count);
        if pair.0 as usize >= n || pair.1 as usize >= n {
            return malformed(at, "an id that is not below the number of words");
        }
        if last >= Some(pair) {
            return malformed(at, "expected rising words and, for each, rising contexts");
        }
        if !(count.is_finite() && count >= 0.0) {
            return malformed(at, "expected a finite count, 0 or more");
        }
        last = Some(pair);
        offsets[pair.0 as usize + 1] += 1;
        columns.push(pair.1);
        values.push(count);
    }
    for row in 0..n {
        offsets[row + 1] += offsets[row];
    }
    Counts::from_rows(n, offsets, columns, values)
}
