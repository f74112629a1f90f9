//! Which text, and how it becomes words.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// A text in one or several files, one document a line.
///
/// Files ending in `.gz` are unpacked while they are read; `-` is the standard input. A byte order
/// mark at the start of a file is skipped.
///
/// ```
/// use sixfold_sgns::corpus::{CorpusConfig, Normalise};
/// let corpus = CorpusConfig {
///     column: Some(1),
///     normalise: Normalise::Letters,
///     ..CorpusConfig::new(["articles.tsv.gz"])
/// };
/// assert!(corpus.validate().is_ok());
/// ```
#[derive(Clone, Debug)]
pub struct CorpusConfig {
    /// The files, in the order in which they are read.
    pub paths: Vec<PathBuf>,
    /// The only column to read of tab-separated lines, from 0; a line without it is an empty
    /// document. `None` reads whole lines.
    pub column: Option<usize>,
    /// What is a word.
    pub normalise: Normalise,
    /// What to do with bytes that are not UTF-8.
    pub invalid_utf8: InvalidUtf8,
    /// Bytes of text that one thread cuts into words at a time, and the grain of
    /// [shards](Shard). Shards of one text must agree on it.
    pub block_bytes: usize,
}

/// What is a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalise {
    /// Whatever stands between white space (Unicode's), as it is.
    #[default]
    Whitespace,
    /// Runs of letters, in lower case. A letter is any of Unicode's alphabetic characters; digits,
    /// apostrophes, hyphens and everything else separate words: `Don't` gives `don` and `t`.
    Letters,
    /// Runs of the letters a–z, in lower case; everything else separates words, letters with
    /// accents too.
    Ascii,
}

/// What to do with bytes that are not UTF-8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InvalidUtf8 {
    /// [`Error::Malformed`] naming the file and the place.
    #[default]
    Refuse,
    /// Each wrong sequence becomes U+FFFD, which is no letter and no white space.
    Replace,
}

/// One of several equal parts of a text, for machines that share the work.
///
/// Block k of file f belongs to shard (f + k) mod `total`. Documents are never cut. A plain file is
/// read only where it belongs to the shard; what is compressed is unpacked whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which part, from 0.
    pub index: u32,
    /// How many parts there are.
    pub total: u32,
}

impl Shard {
    /// The whole text.
    pub const WHOLE: Self = Self { index: 0, total: 1 };

    /// Part `index` of `total`.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] unless `index < total`.
    pub fn new(index: u32, total: u32) -> Result<Self> {
        if index >= total {
            let (name, expected) = ("index of a shard", "a number below the number of shards");
            return Err(Error::InvalidParameter { name, found: f64::from(index), expected });
        }
        Ok(Self { index, total })
    }

    pub(crate) fn owns(self, file: usize, block: u64) -> bool {
        (file as u64 + block) % u64::from(self.total) == u64::from(self.index)
    }
}

impl CorpusConfig {
    /// Whole lines of these files, cut at white space.
    pub fn new<P: Into<PathBuf>>(paths: impl IntoIterator<Item = P>) -> Self {
        Self {
            paths: paths.into_iter().map(Into::into).collect(),
            column: None,
            normalise: Normalise::default(),
            invalid_utf8: InvalidUtf8::default(),
            block_bytes: 1 << 20,
        }
    }

    /// Checks what can be checked without opening a file.
    ///
    /// # Errors
    /// [`Error::Empty`] without files; [`Error::InvalidParameter`] if a block is empty.
    pub fn validate(&self) -> Result<()> {
        if self.paths.is_empty() {
            return Err(Error::Empty { what: "the corpus", reason: "no file is named".into() });
        }
        if self.block_bytes == 0 {
            let (name, expected) = ("block_bytes", "1 or more");
            return Err(Error::InvalidParameter { name, found: 0.0, expected });
        }
        Ok(())
    }
}
