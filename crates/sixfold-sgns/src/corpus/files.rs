//! Counts of words as files.

use std::io::Write;
use std::path::Path;

use sixfold_linalg::files::{map_file, write_atomically};

use super::config::{CorpusConfig, Shard};
use super::words::WordCounts;
use crate::container;
use crate::counting::{read_number, write_number};
use crate::parts::{self, Header};
use crate::{Error, Result, Vocabulary};

const MAGIC: &[u8; 8] = b"6sgnswd\x01";
const KIND: &str = "a file of word counts (vocab --shard)";

impl WordCounts {
    /// Writes the counts of a shard, all words, in the order of their bytes.
    ///
    /// The payload is, for each word: its length and its bytes, its count; numbers are LEB128. In
    /// front stand the number of words and what is needed to check that shards belong together.
    ///
    /// # Errors
    /// [`Error::Io`] naming `path`; then what was there is still there.
    pub fn save_shard(
        &self,
        path: impl AsRef<Path>,
        corpus: &CorpusConfig,
        shard: Shard,
    ) -> Result<()> {
        let mut words: Vec<_> = self.iter().collect();
        words.sort_unstable();
        let header = Header::new(corpus, shard, words.len());
        container::write(path.as_ref(), MAGIC, &header, |out| {
            let mut bytes = Vec::new();
            for (word, count) in words {
                write_number(&mut bytes, word.len() as u64);
                bytes.extend_from_slice(word.as_bytes());
                write_number(&mut bytes, count);
                if bytes.len() >= 1 << 16 {
                    out.write(&bytes)?;
                    bytes.clear();
                }
            }
            out.write(&bytes)
        })
    }

    /// Adds up the files of all shards of a text, in any order.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Malformed`] for a file that is damaged, of another count, there
    /// twice, or missing.
    pub fn load_shards(paths: &[impl AsRef<Path>]) -> Result<Self> {
        let mut sum = Self::default();
        for part in parts::open(paths, MAGIC, KIND)? {
            let mut left = part.payload();
            for _ in 0..part.header.words {
                let word = read_number(&mut left).and_then(|len| {
                    let (word, rest) = left.split_at_checked(usize::try_from(len).ok()?)?;
                    left = rest;
                    std::str::from_utf8(word).ok()
                });
                match (word, read_number(&mut left)) {
                    (Some(word), Some(count)) => sum.add(word, count),
                    _ => return Err(part.malformed(left, "no word and its count")),
                }
            }
            if !left.is_empty() {
                return Err(part.malformed(left, "more than the words that it should have"));
            }
        }
        Ok(sum)
    }
}

/// A file of UTF-8 text, without the byte order mark.
pub(crate) fn text_file(path: &Path) -> Result<String> {
    let file = map_file(path)?;
    match std::str::from_utf8(&file) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text).to_owned()),
        Err(error) => {
            let line = 1 + memchr::memchr_iter(b'\n', &file[..error.valid_up_to()]).count();
            Err(Error::malformed(path, format!("line {line}: expected UTF-8")))
        }
    }
}

impl Vocabulary {
    /// Writes a line for each word: the word, a tab, its count.
    ///
    /// # Errors
    /// [`Error::Io`] naming `path`; then what was there is still there.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        Ok(write_atomically(path, |file| {
            self.iter().try_for_each(|(word, count)| writeln!(file, "{word}\t{count}"))
        })?)
    }

    /// Reads what [`Self::save`] writes.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Malformed`] naming the line that is not a word, a tab and a count, or
    /// repeats a word; [`Error::Empty`] for an empty file.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = text_file(path)?;
        let mut words = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let cells = line.split_once('\t').filter(|(word, _)| !word.is_empty());
            let Some((word, Ok(count))) = cells.map(|(word, count)| (word, count.parse())) else {
                let what = format!("line {}: expected a word, a tab and a count", number + 1);
                return Err(Error::malformed(path, what));
            };
            words.push((word, count));
        }
        if words.is_empty() {
            let reason = format!("{} has no lines", path.display());
            return Err(Error::Empty { what: "the vocabulary", reason });
        }
        Self::new(words).map_err(|error| match error {
            Error::InvalidParameter { found, .. } => {
                Error::malformed(path, format!("line {} repeats a word", found + 1.0))
            }
            error => error,
        })
    }
}
