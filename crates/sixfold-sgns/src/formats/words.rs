//! The words of a file on their way to a vocabulary.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use ndarray::Array2;

use super::{InvalidUtf8, ReadConfig};
use crate::{Error, Result, Vocabulary, WordVectors};

/// Words of a file in order, and what to say about it.
#[derive(Debug)]
pub(super) struct Words {
    path: PathBuf,
    limit: usize,
    invalid_utf8: InvalidUtf8,
    words: Vec<Box<str>>,
    counts: Vec<u64>,
}

impl Words {
    pub(super) fn new(path: &Path, config: &ReadConfig) -> Self {
        Self {
            path: path.to_owned(),
            limit: config.limit.unwrap_or(usize::MAX),
            invalid_utf8: config.invalid_utf8,
            words: Vec::new(),
            counts: Vec::new(),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How many of `n` words are wanted.
    pub(super) fn wanted(&self, n: usize) -> usize {
        n.min(self.limit)
    }

    pub(super) fn invalid_utf8(&self) -> InvalidUtf8 {
        self.invalid_utf8
    }

    pub(super) fn push(&mut self, word: Box<str>, count: u64) {
        self.words.push(word);
        self.counts.push(count);
    }

    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    pub(super) fn malformed(&self, what: impl Into<String>) -> Error {
        Error::malformed(&self.path, what)
    }

    /// The vocabulary. `place` tells where the word of an id stands in the file.
    pub(super) fn vocabulary(self, place: &dyn Fn(usize) -> String) -> Result<Vocabulary> {
        if self.words.is_empty() {
            return Err(self.malformed("no words in it"));
        }
        // Only an error needs them once more, and it needs just one.
        let repeated = |id: usize, words: &[Box<str>]| {
            let first = words.iter().position(|word| *word == words[id]).unwrap_or(id);
            format!(
                "{}: the word `{}` again, it is at {} already",
                place(id),
                words[id],
                place(first)
            )
        };
        match Vocabulary::new(self.words.iter().cloned().zip(self.counts.iter().copied())) {
            Err(Error::InvalidParameter { found, .. }) => {
                Err(self.malformed(repeated(found as usize, &self.words)))
            }
            other => other,
        }
    }

    /// Words and their vectors.
    pub(super) fn finish(
        self,
        matrix: Array2<f32>,
        place: &dyn Fn(usize) -> String,
    ) -> Result<WordVectors> {
        let path = self.path.clone();
        let vocabulary = self.vocabulary(place)?;
        WordVectors::new(vocabulary, matrix).map_err(|error| match error {
            Error::NotFinite { row, column, .. } => {
                let what = format!("{}: value {} is not finite", place(row), column + 1);
                Error::malformed(&path, what)
            }
            Error::Empty { reason, .. } => Error::malformed(&path, format!("no vectors: {reason}")),
            other => other,
        })
    }
}

/// A word from its bytes, or what is wrong with them.
pub(super) fn word(bytes: &[u8], invalid_utf8: InvalidUtf8) -> Result<Box<str>, String> {
    if bytes.is_empty() {
        return Err("an empty word".into());
    }
    any_word(bytes, invalid_utf8)
}

/// [`word`] of a format that tells the lengths of words, so that they may be empty.
pub(super) fn any_word(bytes: &[u8], invalid_utf8: InvalidUtf8) -> Result<Box<str>, String> {
    match (String::from_utf8_lossy(bytes), invalid_utf8) {
        (Cow::Owned(replaced), InvalidUtf8::Refuse) => {
            Err(format!("the word `{replaced}` is not UTF-8; `InvalidUtf8::Replace` would read it"))
        }
        (word, _) => Ok(word.into()),
    }
}

/// Refuses words that hold what separates words.
pub(super) fn check_separable(path: &Path, vocabulary: &Vocabulary) -> Result<()> {
    let separates = |byte: u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    for (id, (word, _)) in vocabulary.iter().enumerate() {
        if word.is_empty() || word.bytes().any(separates) {
            let what = format!(
                "word {id}, {word:?}, is empty or has white space, which this format cannot hold; \
                 safetensors and finalfusion can"
            );
            return Err(Error::malformed(path, what));
        }
    }
    Ok(())
}
