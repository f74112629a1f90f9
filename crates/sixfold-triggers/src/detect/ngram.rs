//! A trigram model of the user's own texts.

use rustc_hash::FxHashMap;

use crate::{Error, LanguageModel, Result};

/// A trigram language model over token ids, interpolated Kneser–Ney.
///
/// A text starts after one mark of its start, which is a context and never predicted. With
/// c counts of n-grams, N(•x) the number of different symbols before x in the training texts,
/// and V the vocabulary:
///
/// ```text
/// p(w | u v) = max(c(u v w) − D₃, 0) / c(u v ·) + D₃ · N(u v •) / c(u v ·) · p(w | v)
/// p(w | v)   = max(a(v w) − D₂, 0) / a(v ·)     + D₂ · N(v •) / a(v ·)     · p(w)
/// p(w)       = max(N(• w) − D₁, 0) / N(• •)     + D₁ · N₁ / N(• •)         · 1 / V
/// ```
///
/// a(v w) = N(• v w), the number of different symbols before the pair, but the plain count
/// c(v w) where v is the start of a text, before which nothing stands. N(u v •) and N(v •) are
/// numbers of different tokens that follow, N₁ that of different tokens seen. A context never
/// seen leaves the lower order as it is. Dₖ = n₁ / (n₁ + 2·n₂), where n₁ and n₂ of the numbers
/// discounted are 1 and 2, kept within 0.1 … 0.9 so that short texts do not degenerate it.
/// Probabilities over the vocabulary sum to 1 after every context, and none is 0.
///
/// # Complexity
/// Time and memory in proportion to the tokens of the texts.
///
/// # References
/// Kneser and Ney 1995, *Improved backing-off for m-gram language modeling*; Chen and Goodman
/// 1999, §2.7 and §3 (interpolated form, D).
///
/// ```
/// use sixfold_triggers::{LanguageModel, NgramLm, perplexity};
/// let texts: [&[u32]; 3] = [&[0, 1, 2], &[0, 1, 3], &[0, 1, 2]];
/// let model = NgramLm::train(texts, 5)?;
/// assert!(perplexity(&model, &[0, 1, 2])? < perplexity(&model, &[2, 1, 0])?);
/// assert!(model.surprisals(&[4])?[0].is_finite());
/// # Ok::<(), sixfold_triggers::Error>(())
/// ```
#[doc(alias = "kneser_ney")]
#[derive(Clone, Debug)]
pub struct NgramLm {
    vocab: usize,
    trigrams: Order<[u32; 2]>,
    bigrams: Order<u32>,
    unigrams: Vec<f64>,
}

/// Numbers of one order: of every n-gram by its context and last token, and of every context.
#[derive(Clone, Debug)]
struct Order<C> {
    counts: FxHashMap<(C, u32), u32>,
    contexts: FxHashMap<C, Context>,
    discount: f64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Context {
    total: u64,
    followers: u32,
}

impl<C: Copy + Eq + std::hash::Hash> Order<C> {
    fn new(counts: FxHashMap<(C, u32), u32>) -> Self {
        let mut contexts: FxHashMap<C, Context> = FxHashMap::default();
        for (&(context, _), &count) in &counts {
            let entry = contexts.entry(context).or_default();
            entry.total += u64::from(count);
            entry.followers += 1;
        }
        let discount = discount(counts.values().copied());
        Self { counts, contexts, discount }
    }

    /// The probability after a context, given that of the order below.
    fn interpolate(&self, context: C, token: u32, below: f64) -> f64 {
        let Some(&Context { total, followers }) = self.contexts.get(&context) else {
            return below;
        };
        let count = self.counts.get(&(context, token)).map_or(0.0, |&count| f64::from(count));
        let kept = (count - self.discount).max(0.0);
        (kept + self.discount * f64::from(followers) * below) / total as f64
    }
}

impl NgramLm {
    /// A model of texts in token ids without special tokens.
    ///
    /// # Errors
    /// [`Error::Empty`] where there is no token, [`Error::Mismatch`] for an id outside the
    /// vocabulary or a vocabulary beyond the ids of 32 bits.
    pub fn train<'a>(texts: impl IntoIterator<Item = &'a [u32]>, vocab: usize) -> Result<Self> {
        let start = u32::try_from(vocab).map_err(|_| Error::Mismatch {
            what: "the vocabulary",
            expected: format!("at most {}", u32::MAX),
            found: vocab.to_string(),
        })?;
        let mut trigrams: FxHashMap<([u32; 2], u32), u32> = FxHashMap::default();
        let mut openings: FxHashMap<(u32, u32), u32> = FxHashMap::default();
        for text in texts {
            in_vocabulary(text, vocab)?;
            if let Some(&first) = text.first() {
                *openings.entry((start, first)).or_default() += 1;
            }
            if let &[first, second, ..] = text {
                *trigrams.entry(([start, first], second)).or_default() += 1;
            }
            for window in text.windows(3) {
                *trigrams.entry(([window[0], window[1]], window[2])).or_default() += 1;
            }
        }
        if openings.is_empty() {
            return Err(Error::Empty { what: "tokens to train a language model on" });
        }
        let mut bigrams = openings;
        for &([_, middle], last) in trigrams.keys() {
            *bigrams.entry((middle, last)).or_default() += 1;
        }
        let mut before = vec![0_u32; vocab];
        bigrams.keys().for_each(|&(_, last)| before[last as usize] += 1);
        let unigrams = unigrams(&before);
        Ok(Self { vocab, trigrams: Order::new(trigrams), bigrams: Order::new(bigrams), unigrams })
    }

    /// p(token | context), the context being all tokens before it in its text.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for an id outside the vocabulary.
    pub fn probability(&self, context: &[u32], token: u32) -> Result<f64> {
        let recent = &context[context.len().saturating_sub(2)..];
        in_vocabulary(recent, self.vocab)?;
        in_vocabulary(&[token], self.vocab)?;
        Ok(self.known(context, token))
    }

    fn known(&self, context: &[u32], token: u32) -> f64 {
        let start = self.vocab as u32;
        let previous = context.last().copied().unwrap_or(start);
        let below = self.bigrams.interpolate(previous, token, self.unigrams[token as usize]);
        match context {
            [] => below,
            [only] => self.trigrams.interpolate([start, *only], token, below),
            [.., first, second] => self.trigrams.interpolate([*first, *second], token, below),
        }
    }
}

impl LanguageModel for NgramLm {
    fn vocab_size(&self) -> usize {
        self.vocab
    }

    fn surprisals(&self, ids: &[u32]) -> Result<Vec<f64>> {
        in_vocabulary(ids, self.vocab)?;
        let surprisal =
            |(i, &id): (usize, &u32)| -self.known(&ids[i.saturating_sub(2)..i], id).ln();
        Ok(ids.iter().enumerate().map(surprisal).collect())
    }
}

/// The lowest order, from the number of different symbols before every token.
fn unigrams(before: &[u32]) -> Vec<f64> {
    let seen = before.iter().copied().filter(|&count| count > 0);
    let discount = discount(seen.clone());
    let total = seen.clone().map(f64::from).sum::<f64>();
    let spread = discount * seen.count() as f64 / before.len() as f64;
    let p = |&count: &u32| ((f64::from(count) - discount).max(0.0) + spread) / total;
    before.iter().map(p).collect()
}

/// n₁ / (n₁ + 2·n₂), within bounds.
fn discount(counts: impl Iterator<Item = u32>) -> f64 {
    let (mut once, mut twice) = (0_u64, 0_u64);
    for count in counts {
        once += u64::from(count == 1);
        twice += u64::from(count == 2);
    }
    // With neither, 0/0: the middle of the range.
    match once + twice {
        0 => 0.5,
        _ => (once as f64 / (once + 2 * twice) as f64).clamp(0.1, 0.9),
    }
}

fn in_vocabulary(ids: &[u32], vocab: usize) -> Result<()> {
    match ids.iter().find(|&&id| id as usize >= vocab) {
        Some(id) => Err(Error::Mismatch {
            what: "a token id",
            expected: format!("below {vocab}"),
            found: id.to_string(),
        }),
        None => Ok(()),
    }
}
