//! Labelled sentences in tokens.

use anyhow::{Result, ensure};
use sixfold_model::{EncodeOptions, Encoding, Tokenizer};

use crate::data::Labelled;

/// Sentences, or pairs of them where all are pairs, in tokens.
pub(in crate::experiments) fn encode(
    tokenizer: &Tokenizer,
    examples: &[Labelled],
    max_tokens: usize,
) -> Result<Vec<Encoding>> {
    let options = EncodeOptions { max_tokens: Some(max_tokens), ..EncodeOptions::default() };
    let texts: Vec<&str> = examples.iter().map(|example| example.text.as_str()).collect();
    let pairs: Option<Vec<(&str, &str)>> = examples
        .iter()
        .map(|example| Some((example.text.as_str(), example.pair.as_deref()?)))
        .collect();
    let encodings = match pairs {
        Some(pairs) => tokenizer.encode_pairs(&pairs, &options)?,
        None => tokenizer.encode_all(&texts, &options)?,
    };
    ensure!(encodings.iter().all(|one| !one.ids.is_empty()), "a sentence without a token");
    Ok(encodings)
}
