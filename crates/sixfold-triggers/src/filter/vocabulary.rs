//! Tokens as strings.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How a vocabulary tells tokens that begin a word from those that go on with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WordMark {
    /// `##` before pieces that go on (word-piece: BERT, DistilBERT, MiniLM).
    WordPiece,
    /// `Ġ` before tokens that begin (byte-level BPE: GPT-2, RoBERTa).
    ByteLevel,
    /// `▁` before tokens that begin (sentence-piece: ALBERT, Llama).
    SentencePiece,
}

impl WordMark {
    fn mark(self) -> &'static str {
        match self {
            Self::WordPiece => "##",
            Self::ByteLevel => "\u{120}",
            Self::SentencePiece => "\u{2581}",
        }
    }
}

/// The tokens of a model, whatever tokenizer made them.
///
/// ```
/// use sixfold_triggers::filter::{Vocabulary, WordMark};
///
/// let tokens = ["[CLS]", "the", "##the", "film"].map(String::from).to_vec();
/// let vocabulary = Vocabulary::new(tokens, [0], WordMark::WordPiece)?;
/// assert_eq!(vocabulary.word("the"), Some(1));
/// assert_eq!((vocabulary.surface(2), vocabulary.begins_word(2)), ("the", false));
/// # Ok::<(), sixfold_triggers::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Vocabulary {
    tokens: Vec<String>,
    special: Vec<bool>,
    mark: WordMark,
    ids: FxHashMap<String, u32>,
}

impl Vocabulary {
    /// Tokens by id, and the ids of those that no text is made of.
    ///
    /// # Errors
    /// [`Error::Empty`] without tokens, [`Error::Mismatch`] for a special id that is no token's.
    pub fn new(
        tokens: Vec<String>,
        special_ids: impl IntoIterator<Item = u32>,
        mark: WordMark,
    ) -> Result<Self> {
        if tokens.is_empty() {
            return Err(Error::Empty { what: "token in the vocabulary" });
        }
        let mut special = vec![false; tokens.len()];
        for id in special_ids {
            match special.get_mut(id as usize) {
                Some(special) => *special = true,
                None => {
                    return Err(Error::Mismatch {
                        what: "a special id",
                        expected: format!("below {}", tokens.len()),
                        found: id.to_string(),
                    });
                }
            }
        }
        let mut ids = FxHashMap::default();
        for (token, id) in tokens.iter().zip(0..) {
            // A table may be longer than its tokenizer: of equal fillings the first has the name.
            ids.entry(token.clone()).or_insert(id);
        }
        Ok(Self { tokens, special, mark, ids })
    }

    /// Tokens.
    #[expect(clippy::len_without_is_empty, reason = "a vocabulary has tokens")]
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// A token as its tokenizer writes it.
    ///
    /// # Panics
    /// If it has no such id; so do the others.
    pub fn token(&self, id: u32) -> &str {
        &self.tokens[id as usize]
    }

    /// A token without the mark of its place in a word.
    pub fn surface(&self, id: u32) -> &str {
        let token = self.token(id);
        token.strip_prefix(self.mark.mark()).unwrap_or(token)
    }

    /// Whether words begin with it.
    pub fn begins_word(&self, id: u32) -> bool {
        let is_marked = self.token(id).starts_with(self.mark.mark());
        is_marked != (self.mark == WordMark::WordPiece)
    }

    /// Whether no text is made of it.
    pub fn is_special(&self, id: u32) -> bool {
        self.special[id as usize]
    }

    /// The id of a token as its tokenizer writes it.
    pub fn id(&self, token: &str) -> Option<u32> {
        self.ids.get(token).copied()
    }

    /// The id of a whole word, such as the `the` of which first triggers are made.
    pub fn word(&self, word: &str) -> Option<u32> {
        match self.mark {
            WordMark::WordPiece => self.id(word),
            mark => self.id(&format!("{}{word}", mark.mark())),
        }
    }
}
