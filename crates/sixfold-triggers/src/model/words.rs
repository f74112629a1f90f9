//! What the filters ask of a tokenizer.

use sixfold_model::{EncodeOptions, Tokenizer};

use crate::filter::WordMark;
use crate::{Result, Vocabulary};

/// The tokens of a model whose table has `size` rows, as filters see them.
///
/// How words begin is told by the mark that most tokens bear. Rows without a token of the tokenizer count as special.
///
/// # Errors
/// [`Error::Empty`](crate::Error::Empty) for a table without rows, [`Error::Mismatch`](crate::Error::Mismatch) for a
/// tokenizer with special tokens beyond it.
pub fn vocabulary(tokenizer: &Tokenizer, size: usize) -> Result<Vocabulary> {
    let found: Vec<Option<String>> = (0..size as u32).map(|id| tokenizer.token(id)).collect();
    let bear = |mark: &str| found.iter().flatten().filter(|token| token.starts_with(mark)).count();
    let marks = [
        (bear("##"), WordMark::WordPiece),
        (bear("\u{120}"), WordMark::ByteLevel),
        (bear("\u{2581}"), WordMark::SentencePiece),
    ];
    let mark =
        marks.into_iter().max_by_key(|(count, _)| *count).map_or(WordMark::WordPiece, |m| m.1);
    let nameless = (0..size as u32).filter(|&id| found[id as usize].is_none());
    let special: Vec<u32> = tokenizer.special_ids().into_iter().chain(nameless).collect();
    let tokens = found.into_iter().map(Option::unwrap_or_default).collect();
    Vocabulary::new(tokens, special, mark)
}

/// Tells whether tokens come back when they are decoded to text and encoded again: whether the trigger can be typed.
pub fn round_trip(tokenizer: &Tokenizer) -> impl Fn(&[u32]) -> bool + '_ {
    let options = EncodeOptions { special_tokens: false, ..EncodeOptions::default() };
    move |ids| {
        let text = tokenizer.decode(ids);
        text.and_then(|text| tokenizer.encode(&text, &options)).is_ok_and(|found| found.ids == ids)
    }
}
