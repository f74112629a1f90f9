//! Words of a question among those of the vectors.

use rustc_hash::FxHashMap;

use crate::Vocabulary;

/// Ids of words, with or without regard to case.
pub(super) struct Lookup<'a> {
    vocabulary: &'a Vocabulary,
    /// The words of each lower-case form, the first one first.
    lowercase: Option<FxHashMap<String, Vec<usize>>>,
    limit: usize,
}

impl<'a> Lookup<'a> {
    /// Only the first `limit` words are found.
    pub(super) fn new(vocabulary: &'a Vocabulary, lowercase: bool, limit: usize) -> Self {
        let lowercase = lowercase.then(|| {
            let mut ids = FxHashMap::default();
            for (id, (word, _)) in vocabulary.iter().take(limit).enumerate() {
                ids.entry(word.to_lowercase()).or_insert_with(Vec::new).push(id);
            }
            ids
        });
        Self { vocabulary, lowercase, limit }
    }

    pub(super) fn id(&self, word: &str) -> Option<usize> {
        match &self.lowercase {
            Some(_) => self.variants(word).first().copied(),
            None => self.vocabulary.id(word).filter(|id| *id < self.limit),
        }
    }
    /// Ids of all words that differ from it in case alone, the word itself among them; none where case
    /// matters.
    pub(super) fn variants(&self, word: &str) -> &[usize] {
        let ids = self.lowercase.as_ref().and_then(|ids| ids.get(&word.to_lowercase()));
        ids.map_or(&[], Vec::as_slice)
    }
}
