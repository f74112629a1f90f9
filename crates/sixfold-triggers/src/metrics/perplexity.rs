//! How unusual a token sequence is to a language model.

use crate::{Error, Result};

/// A language model that reads from left to right.
pub trait LanguageModel {
    /// Entries of its vocabulary.
    fn vocab_size(&self) -> usize;

    /// −ln p(idᵢ | id₀ … idᵢ₋₁) of every token of a text, the first after the start of a text.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for an id outside the vocabulary; what a model behind it refuses.
    fn surprisals(&self, ids: &[u32]) -> Result<Vec<f64>>;
}

/// exp of the mean surprisal of a token sequence at the start of a text.
///
/// # Errors
/// [`Error::Empty`] for no tokens, and those of the model.
pub fn perplexity(model: &(impl LanguageModel + ?Sized), ids: &[u32]) -> Result<f64> {
    if ids.is_empty() {
        return Err(Error::Empty { what: "tokens to take a perplexity of" });
    }
    let surprisals = model.surprisals(ids)?;
    Ok((surprisals.iter().sum::<f64>() / surprisals.len() as f64).exp())
}
