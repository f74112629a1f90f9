//! Words, and how often each was seen.

use rustc_hash::FxHashMap;

use crate::{Error, Result};

/// An ordered list of distinct words with their counts; a word's place is its id.
///
/// ```
/// use sixfold_sgns::Vocabulary;
/// let vocabulary = Vocabulary::new([("the", 7), ("cat", 2)])?;
/// assert_eq!(vocabulary.id("cat"), Some(1));
/// assert_eq!(vocabulary.word(0), "the");
/// # Ok::<(), sixfold_sgns::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    words: Vec<Box<str>>,
    counts: Vec<u64>,
    ids: FxHashMap<Box<str>, u32>,
}

impl Vocabulary {
    /// The words in the order given. A vector file that tells no counts gives 0 for each.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] if a word comes twice: its place in the list is `found`.
    pub fn new<S: Into<Box<str>>>(words: impl IntoIterator<Item = (S, u64)>) -> Result<Self> {
        let mut vocabulary = Self::default();
        for (word, count) in words {
            let (word, id) = (word.into(), vocabulary.words.len());
            if vocabulary.ids.insert(word.clone(), id as u32).is_some() {
                let (name, expected) = ("place of a repeated word", "every word once");
                return Err(Error::InvalidParameter { name, found: id as f64, expected });
            }
            vocabulary.words.push(word);
            vocabulary.counts.push(count);
        }
        Ok(vocabulary)
    }

    /// How many words there are.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The id of a word.
    pub fn id(&self, word: &str) -> Option<usize> {
        self.ids.get(word).map(|id| *id as usize)
    }

    /// The word of an id.
    ///
    /// # Panics
    /// If there is no such id.
    pub fn word(&self, id: usize) -> &str {
        &self.words[id]
    }

    /// How often the word was seen in the corpus.
    ///
    /// # Panics
    /// If there is no such id.
    pub fn count(&self, id: usize) -> u64 {
        self.counts[id]
    }

    /// Words and counts in the order of ids.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, u64)> {
        self.words.iter().map(AsRef::as_ref).zip(self.counts.iter().copied())
    }
}
