//! Text to batches, through Hugging Face's `tokenizers`.

mod bpe;

use std::path::{Path, PathBuf};

use tokenizers::EncodeInput;
use tokenizers::utils::truncation::TruncationParams;

use crate::{Batch, Error, PaddingSide, Result};

/// A tokenizer from a model directory, or learned from texts ([`Tokenizer::train_bpe`]).
///
/// ```no_run
/// use sixfold_model::{EncodeOptions, Tokenizer};
///
/// let tokenizer = Tokenizer::from_dir("models/bert")?;
/// let batch = tokenizer.batch(&["A cat.", "A longer sentence."], &EncodeOptions::default())?;
/// assert_eq!(batch.rows(), 2);
/// # Ok::<(), sixfold_model::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    path: PathBuf,
}

/// How texts become a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodeOptions {
    /// Whether the tokenizer's special tokens are added.
    pub special_tokens: bool,
    /// Longest sequence, special tokens included; longer ones lose their end.
    pub max_tokens: Option<usize>,
    /// Where short sequences are filled up.
    pub side: PaddingSide,
    /// What they are filled with; the tokenizer's own padding token, or 0, where not given.
    pub pad_id: Option<u32>,
}

impl Default for EncodeOptions {
    fn default() -> Self {
        Self { special_tokens: true, max_tokens: None, side: PaddingSide::Right, pad_id: None }
    }
}

/// A text in tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// Token ids.
    pub ids: Vec<u32>,
    /// Token types.
    pub token_types: Vec<u32>,
    /// Byte range of each token in the text; empty for special tokens.
    pub offsets: Vec<(usize, usize)>,
    /// Which text of a pair each token is from, 0 or 1; `None` for special tokens.
    pub texts: Vec<Option<usize>>,
}

impl Tokenizer {
    /// Reads `tokenizer.json` of a model directory.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] where it is missing or malformed.
    pub fn from_dir(dir: impl AsRef<Path>) -> Result<Self> {
        Self::from_file(dir.as_ref().join("tokenizer.json"))
    }

    /// Reads a `tokenizer.json`. Padding and truncation set in it are left out: batches bring
    /// their own.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] where it is missing or malformed.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref().to_owned();
        let mut inner = tokenizers::Tokenizer::from_file(&path)
            .map_err(|source| Error::Tokenizer { path: path.clone(), source })?;
        inner.with_padding(None);
        inner
            .with_truncation(None)
            .map_err(|source| Error::Tokenizer { path: path.clone(), source })?;
        Ok(Self { inner, path })
    }

    /// Entries of the vocabulary, added tokens included.
    pub fn vocab_size(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// The id of a token.
    pub fn token_id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// The token of an id.
    pub fn token(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }

    /// The ids that no text is made of: beginnings, ends, padding, masks. In ascending order.
    pub fn special_ids(&self) -> Vec<u32> {
        let added = self.inner.get_added_tokens_decoder();
        let mut ids: Vec<u32> =
            added.iter().filter(|(_, token)| token.special).map(|(&id, _)| id).collect();
        ids.sort_unstable();
        ids
    }

    /// One text in tokens.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] where the text cannot be encoded.
    pub fn encode(&self, text: &str, options: &EncodeOptions) -> Result<Encoding> {
        let mut encodings = self.encode_all(&[text], options)?;
        Ok(encodings.swap_remove(0))
    }

    /// Many texts in tokens, in parallel.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn encode_all(&self, texts: &[&str], options: &EncodeOptions) -> Result<Vec<Encoding>> {
        self.encode_inputs(texts.to_vec(), options)
    }

    /// Many pairs of texts, each pair in one sequence as the tokenizer joins them, in parallel.
    /// Where a pair is too long, the longer text loses its end first. Offsets count within the
    /// text that a token is from.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn encode_pairs(
        &self,
        pairs: &[(&str, &str)],
        options: &EncodeOptions,
    ) -> Result<Vec<Encoding>> {
        self.encode_inputs(pairs.to_vec(), options)
    }

    fn encode_inputs<'s, I: Into<EncodeInput<'s>> + Send>(
        &self,
        inputs: Vec<I>,
        options: &EncodeOptions,
    ) -> Result<Vec<Encoding>> {
        let error = |source| Error::Tokenizer { path: self.path.clone(), source };
        let encodings = match options.max_tokens {
            None => self.inner.encode_batch(inputs, options.special_tokens),
            Some(max_length) => {
                let mut inner = self.inner.clone();
                let truncation = TruncationParams { max_length, ..TruncationParams::default() };
                inner.with_truncation(Some(truncation)).map_err(error)?;
                inner.encode_batch(inputs, options.special_tokens)
            }
        };
        let encodings = encodings.map_err(error)?.into_iter();
        Ok(encodings
            .map(|encoding| Encoding {
                ids: encoding.get_ids().to_vec(),
                token_types: encoding.get_type_ids().to_vec(),
                offsets: encoding.get_offsets().to_vec(),
                texts: encoding.get_sequence_ids(),
            })
            .collect())
    }

    /// The text of ids, special tokens left out.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] where the decoder refuses.
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        let error = |source| Error::Tokenizer { path: self.path.clone(), source };
        self.inner.decode(ids, true).map_err(error)
    }

    /// Texts as one batch.
    ///
    /// # Errors
    /// As [`encode`](Self::encode); no text, or no token in any.
    pub fn batch(&self, texts: &[&str], options: &EncodeOptions) -> Result<Batch> {
        let encodings = self.encode_all(texts, options)?;
        if encodings.iter().all(|encoding| encoding.ids.is_empty()) {
            return Err(Error::Batch {
                what: "texts",
                expected: "at least one token".to_owned(),
                found: format!("{} empty texts", texts.len()),
            });
        }
        Ok(self.pad(&encodings, options))
    }

    /// Sequences as one batch, filled up to the longest. Token types come along where any is not
    /// 0.
    ///
    /// # Panics
    /// Without any sequence, or when all are empty.
    pub fn pad(&self, encodings: &[Encoding], options: &EncodeOptions) -> Batch {
        let ids: Vec<Vec<u32>> = encodings.iter().map(|encoding| encoding.ids.clone()).collect();
        let pad_id = options.pad_id.or_else(|| self.pad_token()).unwrap_or(0);
        let batch = Batch::pad(&ids, pad_id, options.side);
        if encodings.iter().all(|encoding| encoding.token_types.iter().all(|&t| t == 0)) {
            return batch;
        }
        let types: Vec<Vec<u32>> =
            encodings.iter().map(|encoding| encoding.token_types.clone()).collect();
        let types = Batch::pad(&types, 0, options.side).ids().to_vec();
        batch.with_token_types(types).expect("types and ids have the same lengths")
    }

    /// Many texts as batches of texts of similar length, so that little is padding. With each
    /// batch come the places of its rows in `texts`. Empty texts are left out.
    ///
    /// A batch holds at most `max_tokens_per_batch` positions, padding included, and at least
    /// one text.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn bucketed(
        &self,
        texts: &[&str],
        options: &EncodeOptions,
        max_tokens_per_batch: usize,
    ) -> Result<Vec<(Vec<usize>, Batch)>> {
        let encodings = self.encode_all(texts, options)?;
        let lengths: Vec<usize> = encodings.iter().map(|encoding| encoding.ids.len()).collect();
        let batches = buckets(&lengths, max_tokens_per_batch).into_iter().map(|rows| {
            let row_encodings: Vec<Encoding> = rows.iter().map(|&i| encodings[i].clone()).collect();
            let batch = self.pad(&row_encodings, options);
            (rows, batch)
        });
        Ok(batches.collect())
    }

    fn pad_token(&self) -> Option<u32> {
        ["[PAD]", "<pad>", "<|padding|>"].iter().find_map(|token| self.token_id(token))
    }
}

/// Groups of indices whose lengths are similar, longest first; each fills at most `budget`
/// positions once padded to its longest. Zero lengths are left out.
pub fn buckets(lengths: &[usize], budget: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).filter(|&i| lengths[i] > 0).collect();
    order.sort_by_key(|&i| (std::cmp::Reverse(lengths[i]), i));
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for i in order {
        match groups.last_mut() {
            Some(group) if (group.len() + 1) * lengths[group[0]] <= budget => group.push(i),
            _ => groups.push(vec![i]),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_keep_every_text_within_the_budget() {
        let lengths = [3, 9, 0, 4, 8, 1, 20];
        let groups = buckets(&lengths, 18);
        assert_eq!(groups, [vec![6], vec![1, 4], vec![3, 0, 5]]);
        let mut seen: Vec<usize> = groups.concat();
        seen.sort_unstable();
        assert_eq!(seen, [0, 1, 3, 4, 5, 6]);
    }
}
