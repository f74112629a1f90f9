//! A tokenizer that is learned from texts.

use std::path::PathBuf;

use tokenizers::AddedToken;
use tokenizers::models::TrainerWrapper;
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;

use super::Tokenizer;
use crate::{Error, Result};

impl Tokenizer {
    /// Learns byte-level byte-pair encoding (arXiv 1508.07909, over bytes as GPT-2's) from texts:
    /// `special` tokens get the first ids, then come the 256 bytes, then merges by frequency until
    /// there are `vocab_size` entries or no pair is left. There is no unknown text, and
    /// [`decode`](Self::decode) gives texts back behind a space. The same texts give the same
    /// tokenizer.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] where the training refuses the texts.
    ///
    /// # Complexity
    /// About O(characters of distinct words · merges that touch them).
    ///
    /// ```
    /// use sixfold_model::{EncodeOptions, Tokenizer};
    ///
    /// let texts = ["the cat sat", "the cat saw the hat"];
    /// let tokenizer = Tokenizer::train_bpe(&texts, 270, &["<pad>"])?;
    /// let ids = tokenizer.encode("the bat", &EncodeOptions::default())?.ids;
    /// assert_eq!(tokenizer.token_id("<pad>"), Some(0));
    /// assert_eq!(tokenizer.decode(&ids)?, " the bat");
    /// # Ok::<(), sixfold_model::Error>(())
    /// ```
    #[doc(alias = "subwords")]
    pub fn train_bpe(texts: &[&str], vocab_size: usize, special: &[&str]) -> Result<Self> {
        let path = PathBuf::from("a tokenizer in training");
        let error = |source| Error::Tokenizer { path: path.clone(), source };
        let bytes = ByteLevel::default();
        let mut inner = tokenizers::Tokenizer::new(BPE::default());
        inner.with_pre_tokenizer(Some(bytes)).with_decoder(Some(bytes));
        let special = special.iter().map(|token| AddedToken::from(*token, true)).collect();
        let mut trainer: TrainerWrapper = BpeTrainer::builder()
            .vocab_size(vocab_size)
            .min_frequency(2)
            .special_tokens(special)
            .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
            .show_progress(false)
            .build()
            .into();
        inner.train(&mut trainer, texts.iter()).map_err(error)?;
        Ok(Self { inner, path: path.clone() })
    }
}
