//! From bytes to words.

use std::borrow::Cow;
use std::path::Path;

use rustc_hash::FxHashMap;

use super::blocks::Block;
use super::config::{CorpusConfig, InvalidUtf8, Normalise};
use crate::{Error, Result};

/// The end of a document among the ids of words.
pub(crate) const END: u32 = u32::MAX;

/// A block as places in a list of its own words, which are in the order of their first occurrence.
#[derive(Debug, Default)]
pub(crate) struct Tokenised<'a> {
    pub(crate) words: Vec<Cow<'a, str>>,
    /// Occurrences of each word.
    pub(crate) counts: Vec<u64>,
    /// Words, and [`END`] behind each document that has any.
    pub(crate) ids: Vec<u32>,
}

/// Cuts a block into words.
pub(crate) fn tokenise<'a>(block: &'a mut Block, corpus: &CorpusConfig) -> Result<Tokenised<'a>> {
    let path = &corpus.paths[block.file];
    let text = utf8(block, corpus.invalid_utf8, path)?;
    if corpus.normalise != Normalise::Whitespace {
        text.make_ascii_lowercase();
    }
    let mut interner = Interner::default();
    // English has a word every six bytes, and in a block of a mebibyte one in ten is new.
    interner.found.ids.reserve(text.len() / 5);
    interner.short.reserve(text.len() / 128);
    interner.middle.reserve(text.len() / 128);
    match corpus.column {
        None => interner.text(text, corpus.normalise),
        Some(column) => {
            for line in text.split_terminator('\n') {
                let cell = line.split('\t').nth(column).unwrap_or_default();
                interner.text(cell, corpus.normalise);
                interner.end();
            }
        }
    }
    interner.end();
    Ok(interner.found)
}

/// The text of a block; what is not UTF-8 is replaced or refused.
fn utf8<'a>(block: &'a mut Block, invalid: InvalidUtf8, path: &Path) -> Result<&'a mut str> {
    if let Err(error) = std::str::from_utf8(&block.text) {
        let at = error.valid_up_to();
        if invalid == InvalidUtf8::Refuse {
            let found = &block.text[at..block.text.len().min(at + 4)];
            let what = format!(
                "byte {} is not UTF-8 (found {found:02x?}); recode the file, or have such bytes \
                 replaced",
                block.offset + at as u64
            );
            return Err(Error::malformed(path, what));
        }
        block.text = String::from_utf8_lossy(&block.text).into_owned().into_bytes();
    }
    std::str::from_utf8_mut(&mut block.text)
        .map_err(|_| Error::malformed(path, "not UTF-8 after replacement"))
}

#[derive(Default)]
struct Interner<'a> {
    found: Tokenised<'a>,
    /// Words of at most 7 bytes: these, and how many they are in the last byte.
    short: FxHashMap<u64, u32>,
    /// Words of at most 15 bytes, in the same way.
    middle: FxHashMap<u128, u32>,
    long: FxHashMap<&'a [u8], u32>,
    /// Words that are not as they stand in the text.
    other: FxHashMap<Box<str>, u32>,
}

/// What a byte of the text is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Separator,
    Word,
    Line,
    /// A byte of a character beyond ASCII, which must be looked at.
    Wide,
}

fn kinds(normalise: Normalise) -> [Kind; 256] {
    std::array::from_fn(|byte| match byte as u8 {
        b'\n' => Kind::Line,
        128.. if normalise != Normalise::Ascii => Kind::Wide,
        byte => {
            let word = match normalise {
                // What Unicode calls white space below 128.
                Normalise::Whitespace => !matches!(byte, b'\t'..=b'\r' | b' '),
                Normalise::Letters | Normalise::Ascii => byte.is_ascii_lowercase(),
            };
            if word { Kind::Word } else { Kind::Separator }
        }
    })
}

impl<'a> Interner<'a> {
    /// Adds the words of a text; line ends in it end documents. ASCII is in lower case already.
    fn text(&mut self, text: &'a str, normalise: Normalise) {
        let kinds = kinds(normalise);
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            match kinds[bytes[at] as usize] {
                Kind::Separator => at += 1,
                Kind::Line => {
                    self.end();
                    at += 1;
                }
                Kind::Word => {
                    let start = at;
                    at += 1;
                    while at < bytes.len() && kinds[bytes[at] as usize] == Kind::Word {
                        at += 1;
                    }
                    if at < bytes.len() && kinds[bytes[at] as usize] == Kind::Wide {
                        at = self.wide(text, start, normalise);
                    } else {
                        self.word(bytes, start, at);
                    }
                }
                Kind::Wide => at = self.wide(text, at, normalise),
            }
        }
    }

    /// Adds the word that begins at `start`, if one does, and gives where to go on.
    fn wide(&mut self, text: &'a str, start: usize, normalise: Normalise) -> usize {
        let rest = &text[start..];
        let outside = |c: char| match normalise {
            Normalise::Whitespace => c.is_whitespace(),
            Normalise::Letters | Normalise::Ascii => !c.is_alphabetic(),
        };
        let end = rest.find(outside).unwrap_or(rest.len());
        if end == 0 {
            return start + rest.chars().next().map_or(1, char::len_utf8);
        }
        let word = &rest[..end];
        if normalise == Normalise::Whitespace {
            self.word(text.as_bytes(), start, start + end);
        } else {
            self.lower(word.to_lowercase().into());
        }
        start + end
    }

    /// Adds a word that stands in the text as it is.
    #[inline]
    fn word(&mut self, text: &'a [u8], start: usize, end: usize) {
        let (word, next) = (&text[start..end], self.found.words.len() as u32);
        // Comparing numbers is faster than comparing slices, and most words are short.
        let id = match word.len() {
            len @ ..=7 => {
                let key = u64::from_le_bytes(first(text, start, len));
                let key = key & ((1 << (8 * len)) - 1) | (len as u64) << 56;
                *self.short.entry(key).or_insert(next)
            }
            len @ 8..=15 => {
                let key = u128::from_le_bytes(first(text, start, len));
                let key = key & ((1 << (8 * len)) - 1) | (len as u128) << 120;
                *self.middle.entry(key).or_insert(next)
            }
            _ => *self.long.entry(word).or_insert(next),
        };
        if id == next {
            // The bytes come from a str and are cut where characters begin: nothing is replaced.
            self.found.words.push(String::from_utf8_lossy(word));
            self.found.counts.push(0);
        }
        self.found.counts[id as usize] += 1;
        self.found.ids.push(id);
    }

    fn lower(&mut self, word: Box<str>) {
        let next = self.found.words.len() as u32;
        let id = match self.other.get(&word) {
            Some(id) => *id,
            None => {
                self.found.words.push(Cow::Owned(word.clone().into()));
                self.found.counts.push(0);
                self.other.insert(word, next);
                next
            }
        };
        self.found.counts[id as usize] += 1;
        self.found.ids.push(id);
    }

    fn end(&mut self) {
        if self.found.ids.last().is_some_and(|id| *id != END) {
            self.found.ids.push(END);
        }
    }
}

/// `len < N` bytes from `start`, and anything behind them.
#[inline]
fn first<const N: usize>(text: &[u8], start: usize, len: usize) -> [u8; N] {
    match text[start..].first_chunk::<N>() {
        Some(key) => *key,
        None => {
            let mut key = [0; N];
            key[..len].copy_from_slice(&text[start..start + len]);
            key
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str, normalise: Normalise, column: Option<usize>) -> Vec<Vec<String>> {
        let corpus = CorpusConfig { normalise, column, ..CorpusConfig::new(["text"]) };
        let mut block = Block { text: text.into(), ..Block::default() };
        let found = tokenise(&mut block, &corpus).unwrap();
        assert_eq!(found.counts.iter().sum::<u64>() as usize, {
            found.ids.iter().filter(|id| **id != END).count()
        });
        let document = |ids: &[u32]| -> Vec<String> {
            ids.iter().map(|id| found.words[*id as usize].to_string()).collect()
        };
        let mut documents: Vec<_> = found.ids.split(|id| *id == END).map(document).collect();
        assert_eq!(documents.pop().unwrap_or_default(), Vec::<String>::new());
        documents
    }

    #[test]
    fn words_are_what_the_documentation_says() {
        let text = "Don't  stop\u{a0}it—ÉTÉ 42x\r\n\nΑΣ α\u{3000}b";
        let cut = |normalise| words(text, normalise, None);
        assert_eq!(
            cut(Normalise::Whitespace),
            [vec!["Don't", "stop", "it—ÉTÉ", "42x"], vec!["ΑΣ", "α", "b"]]
        );
        assert_eq!(
            cut(Normalise::Letters),
            [vec!["don", "t", "stop", "it", "été", "x"], vec!["ας", "α", "b"]]
        );
        assert_eq!(cut(Normalise::Ascii), [vec!["don", "t", "stop", "it", "t", "x"], vec!["b"]]);
    }

    #[test]
    fn one_column_is_read() {
        let text = "title\ta b\nno column\n\tc\td\n";
        assert_eq!(words(text, Normalise::Whitespace, Some(1)), [vec!["a", "b"], vec!["c"]]);
        assert_eq!(words(text, Normalise::Whitespace, Some(2)), [vec!["d"]]);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_named_or_replaced() {
        let mut corpus = CorpusConfig::new(["some.txt"]);
        let block = || Block { offset: 1000, text: b"ab \xff c".to_vec(), ..Block::default() };
        let error = tokenise(&mut block(), &corpus).unwrap_err().to_string();
        assert!(error.contains("some.txt: byte 1003 is not UTF-8"), "{error}");
        corpus.invalid_utf8 = InvalidUtf8::Replace;
        let mut block = block();
        let found = tokenise(&mut block, &corpus).unwrap();
        assert_eq!(found.words, ["ab", "\u{fffd}", "c"]);
    }
}
