//! Words of a question among those of the vectors.

use rustc_hash::FxHashMap;

use crate::Vocabulary;

/// Ids of words, with or without regard to case.
pub(super) struct Lookup<'a> {
    vocabulary: &'a Vocabulary,
    /// The first word of each lower-case form.
    lowercase: Option<FxHashMap<String, usize>>,
    limit: usize,
}

impl<'a> Lookup<'a> {
    /// Only the first `limit` words are found.
    pub(super) fn new(vocabulary: &'a Vocabulary, lowercase: bool, limit: usize) -> Self {
        let lowercase = lowercase.then(|| {
            let mut ids = FxHashMap::default();
            for (id, (word, _)) in vocabulary.iter().take(limit).enumerate() {
                ids.entry(word.to_lowercase()).or_insert(id);
            }
            ids
        });
        Self { vocabulary, lowercase, limit }
    }

    pub(super) fn id(&self, word: &str) -> Option<usize> {
        match &self.lowercase {
            Some(ids) => ids.get(&word.to_lowercase()).copied(),
            None => self.vocabulary.id(word).filter(|id| *id < self.limit),
        }
    }
}
