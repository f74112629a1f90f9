//! Texts as numbers of words.

use anyhow::{Context as _, Result};
use sixfold_sgns::Vocabulary;
use sixfold_sgns::corpus::WordCounts;

/// The words of a text in lower case: letters and digits with apostrophes between them, and each
/// other sign that is no space by itself.
pub fn words(text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = if first.is_alphanumeric() { word_end(rest) } else { first.len_utf8() };
        let (word, after) = rest.split_at(end);
        found.push(word.to_owned());
        rest = after.trim_start();
    }
    found
}

/// Where the word ends that a text begins with.
fn word_end(text: &str) -> usize {
    let mut signs = text.char_indices().peekable();
    while let Some((at, sign)) = signs.next() {
        let inner = matches!(sign, '\'' | '’')
            && signs.peek().is_some_and(|(_, next)| next.is_alphanumeric());
        if !sign.is_alphanumeric() && !inner {
            return at;
        }
    }
    text.len()
}

/// Numbers for the most frequent words of some texts, the most frequent first, behind three that
/// stand for no word.
#[derive(Clone, Debug)]
pub struct WordNumbers {
    vocabulary: Vocabulary,
}

impl WordNumbers {
    /// What fills a batch up.
    pub const PAD: u32 = 0;
    /// Any other word.
    pub const UNKNOWN: u32 = 1;
    /// The end of a text.
    pub const END: u32 = 2;
    /// Numbers that stand for no word.
    pub const RESERVED: usize = 3;

    /// Numbers, `max` in all, for the words that occur `min_count` times at least.
    ///
    /// # Errors
    /// If there is no such word.
    pub fn most_frequent<'a>(
        texts: impl IntoIterator<Item = &'a Vec<String>>,
        min_count: u64,
        max: usize,
    ) -> Result<Self> {
        let mut counts = WordCounts::default();
        for word in texts.into_iter().flatten() {
            counts.add(word, 1);
        }
        let top = max.saturating_sub(Self::RESERVED);
        let vocabulary = counts
            .into_vocabulary(min_count, Some(top))
            .with_context(|| format!("numbers for {top} words"))?;
        Ok(Self { vocabulary })
    }

    /// How many numbers there are.
    pub fn n(&self) -> usize {
        self.vocabulary.len() + Self::RESERVED
    }

    /// The number of each word.
    pub fn of(&self, words: &[String]) -> Vec<u32> {
        let of = |word: &String| match self.vocabulary.id(word) {
            Some(id) => (id + Self::RESERVED) as u32,
            None => Self::UNKNOWN,
        };
        words.iter().map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_apostrophes_and_signs_stand_alone() {
        let found = words("  It's the dogs' “Café”, isn't it?! 3.5");
        let expected = [
            "it's", "the", "dogs", "'", "“", "café", "”", ",", "isn't", "it", "?", "!", "3", ".",
            "5",
        ];
        assert_eq!(found, expected);
        assert!(words(" \n").is_empty());
    }

    #[test]
    fn frequent_words_come_first_and_rare_ones_are_unknown() {
        let texts = [words("b a c a"), words("a b d")];
        let numbers = WordNumbers::most_frequent(&texts, 1, 5).unwrap();
        assert_eq!((numbers.n(), numbers.of(&words("a b c d"))), (5, vec![3, 4, 1, 1]));
        let numbers = WordNumbers::most_frequent(&texts, 2, 100).unwrap();
        assert_eq!(numbers.n(), 5);
        assert!(WordNumbers::most_frequent(&texts, 9, 100).is_err());
    }
}
