//! Tokens without which a text would be less strange.

use crate::{LanguageModel, Result, perplexity};

/// By how much the perplexity falls when each token is deleted:
/// scoreᵢ = perplexity(x) − perplexity(x without token i).
///
/// The highest of them is a score of the text. A text of one token scores 0.
///
/// # Errors
/// Those of the model; [`Error::Empty`](crate::Error::Empty) for no tokens.
///
/// # Complexity
/// n + 1 readings of a text of n tokens.
///
/// # References
/// Qi et al. 2021, *ONION: A simple and effective defense against textual backdoor attacks*,
/// equation 1. There the model is GPT-2; a trigram model sees less.
pub fn onion_scores(model: &(impl LanguageModel + ?Sized), ids: &[u32]) -> Result<Vec<f64>> {
    let whole = perplexity(model, ids)?;
    if ids.len() == 1 {
        return Ok(vec![0.0]);
    }
    let mut rest = ids[1..].to_vec();
    let mut scores = Vec::with_capacity(ids.len());
    for (i, &id) in ids.iter().enumerate() {
        scores.push(whole - perplexity(model, &rest)?);
        // The next text differs in one place.
        if let Some(place) = rest.get_mut(i) {
            *place = id;
        }
    }
    Ok(scores)
}

/// The text without the tokens that score above a threshold; the whole text where that would
/// leave nothing.
///
/// # Errors
/// Those of [`onion_scores`].
pub fn onion_filter(
    model: &(impl LanguageModel + ?Sized),
    ids: &[u32],
    threshold: f64,
) -> Result<Vec<u32>> {
    let scores = onion_scores(model, ids)?;
    let kept = |(&id, &score): (&u32, &f64)| (score <= threshold).then_some(id);
    let left: Vec<u32> = ids.iter().zip(&scores).filter_map(kept).collect();
    Ok(if left.is_empty() { ids.to_vec() } else { left })
}
