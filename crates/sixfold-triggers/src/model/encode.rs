//! From texts to examples.

use sixfold_model::{EncodeOptions, Encoding, Tokenizer};

use crate::{Error, Example, Result, Sequence};

/// A text, or a pair of texts, as a classifier reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Text<'a> {
    /// One text.
    One(&'a str),
    /// A pair: two sentences, question and answer, premise and hypothesis.
    Pair(&'a str, &'a str),
}

/// How much room texts leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EncodeConfig {
    /// The longest sequence of the model, special tokens included; `None` where nothing limits it.
    pub limit: Option<usize>,
    /// Tokens that a trigger will need.
    pub trigger: usize,
    /// Whether longer texts lose their end; otherwise they are an error.
    pub truncate: bool,
}

/// Texts as examples, in their order, special tokens included.
///
/// # Errors
/// [`Error::Empty`] without texts, [`Error::EmptyText`] for one without tokens, [`Error::TooLong`] for one that
/// leaves no room for the trigger where texts are not cut; what the tokenizer refuses.
///
/// # Complexity
/// Texts are encoded in parallel.
pub fn encode(
    tokenizer: &Tokenizer,
    texts: &[Text<'_>],
    config: &EncodeConfig,
) -> Result<Vec<Example>> {
    if texts.is_empty() {
        return Err(Error::Empty { what: "text to encode" });
    }
    let room = config.limit.map(|limit| limit.saturating_sub(config.trigger));
    let max_tokens = room.filter(|_| config.truncate);
    let options = EncodeOptions { max_tokens, ..EncodeOptions::default() };
    // The tokenizer takes texts or pairs, not both in one call.
    let (mut ones, mut pairs) = (Vec::new(), Vec::new());
    for (index, text) in texts.iter().enumerate() {
        match *text {
            Text::One(text) => ones.push((index, text)),
            Text::Pair(first, second) => pairs.push((index, (first, second))),
        }
    }
    let mut encodings: Vec<(usize, Encoding)> = Vec::with_capacity(texts.len());
    if !ones.is_empty() {
        let (indices, texts): (Vec<usize>, Vec<&str>) = ones.into_iter().unzip();
        encodings.extend(indices.into_iter().zip(tokenizer.encode_all(&texts, &options)?));
    }
    if !pairs.is_empty() {
        let (indices, texts): (Vec<usize>, Vec<(&str, &str)>) = pairs.into_iter().unzip();
        encodings.extend(indices.into_iter().zip(tokenizer.encode_pairs(&texts, &options)?));
    }
    encodings.sort_by_key(|(index, _)| *index);
    encodings
        .into_iter()
        .map(|(index, encoding)| {
            let fields = match texts[index] {
                Text::One(_) => 1,
                Text::Pair(..) => 2,
            };
            let tokens = encoding.ids.len();
            if let (Some(limit), Some(room)) = (config.limit, room)
                && tokens > room
            {
                let trigger = config.trigger;
                return Err(Error::TooLong { example: index, tokens, trigger, limit });
            }
            example(encoding, fields).ok_or(Error::EmptyText { example: index })?
        })
        .collect()
}

/// `None` where a text has no token.
fn example(encoding: Encoding, fields: usize) -> Option<Result<Example>> {
    let range = |field: usize| {
        let of_field = |text: &Option<usize>| *text == Some(field);
        let first = encoding.texts.iter().position(of_field)?;
        let last = encoding.texts.iter().rposition(of_field)?;
        Some(first..last + 1)
    };
    let fields = (0..fields).map(range).collect::<Option<Vec<_>>>()?;
    let sequence = Sequence { ids: encoding.ids, token_types: encoding.token_types };
    Some(Example::new(sequence, fields))
}
