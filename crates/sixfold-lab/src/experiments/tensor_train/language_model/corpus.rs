//! A text as numbers of words.

use anyhow::{Context as _, Result, ensure};

use super::LanguageModelConfig;
use crate::context::Context;
use crate::data::{Documents, WordNumbers, words};

/// The text of a run.
pub(super) struct Corpus {
    pub(super) numbers: WordNumbers,
    /// Examples to learn from: `context` words and the one that follows them.
    pub(super) train: Vec<Vec<u32>>,
    /// The held-out text, cut alike; the last example may be shorter.
    pub(super) test: Vec<Example>,
    /// Held-out documents.
    pub(super) n_test: usize,
    /// Words that are learned from, and those of them that have no number.
    pub(super) learned: Share,
    /// The same of the held-out text.
    pub(super) held_out: Share,
    /// Perplexity of the held-out text by the frequencies of words alone.
    pub(super) unigram: f64,
}

/// Words of the held-out text, and the document that each stands in.
pub(super) struct Example {
    pub(super) ids: Vec<u32>,
    pub(super) documents: Vec<usize>,
}

/// Words, and how many of them are unknown.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Share {
    pub(super) words: usize,
    pub(super) unknown: usize,
}

impl Share {
    fn of(ids: &[Vec<u32>]) -> Self {
        let all = ids.iter().flatten().filter(|id| **id != WordNumbers::END);
        let unknown = all.clone().filter(|id| **id == WordNumbers::UNKNOWN).count();
        Self { words: all.count(), unknown }
    }

    pub(super) fn unknown(self) -> f64 {
        self.unknown as f64 / self.words.max(1) as f64
    }
}

impl Corpus {
    /// Reads the text; the last of its documents are held out, and words are numbered by the
    /// others.
    pub(super) fn read(config: &LanguageModelConfig, cx: &Context) -> Result<Self> {
        let path = cx.locator().existing("text.path", &config.text.path)?;
        let mut documents: Vec<Vec<String>> = Vec::new();
        let mut n = 0;
        for document in Documents::open(&path, config.text.column.as_ref())? {
            let words = words(&document?);
            n += words.len();
            documents.push(words);
            if n >= config.text.max_tokens {
                break;
            }
        }
        let n_test = documents.len().div_ceil(config.held_out);
        let held_out = documents.split_off(documents.len() - n_test);
        let numbers = WordNumbers::most_frequent(&documents, config.min_count, config.vocab)
            .with_context(|| format!("text.path: {}", path.display()))?;
        let of = |documents: &[Vec<String>]| -> Vec<Vec<u32>> {
            let ended = documents.iter().map(|words| {
                let mut ids = numbers.of(words);
                ids.push(WordNumbers::END);
                ids
            });
            ended.collect()
        };
        let (train_ids, test_ids) = (of(&documents), of(&held_out));
        let stream = train_ids.concat();
        // The rest of the stream is shorter than the others, and is left out.
        let starts = (0..stream.len().saturating_sub(config.context)).step_by(config.context);
        let train: Vec<Vec<u32>> =
            starts.map(|start| stream[start..=start + config.context].to_vec()).collect();
        let batch_size = config.recipe.batch_tokens / config.context;
        ensure!(
            train.len() >= batch_size && n_test > 0,
            "{}: {n} words make {} examples of {} to learn from; at least {batch_size} are needed",
            path.display(),
            train.len(),
            config.context
        );
        Ok(Self {
            test: examples(&test_ids, config.context),
            n_test,
            learned: Share::of(&train_ids),
            held_out: Share::of(&test_ids),
            unigram: unigram(numbers.n(), &train_ids, &test_ids),
            train,
            numbers,
        })
    }
}

/// Pieces of a text of which each begins with the last word of the one before, so that all words
/// but the first are foretold once.
fn examples(documents: &[Vec<u32>], context: usize) -> Vec<Example> {
    let owners = documents.iter().enumerate().flat_map(|(at, ids)| vec![at; ids.len()]);
    let owners: Vec<usize> = owners.collect();
    let stream = documents.concat();
    let starts = (0..stream.len().saturating_sub(1)).step_by(context);
    starts
        .map(|start| {
            let end = (start + context + 1).min(stream.len());
            Example { ids: stream[start..end].to_vec(), documents: owners[start..end].to_vec() }
        })
        .collect()
}

/// Perplexity of a text by the frequencies in another, one added to each.
fn unigram(n: usize, train: &[Vec<u32>], test: &[Vec<u32>]) -> f64 {
    let mut counts = vec![1.0_f64; n];
    for id in train.iter().flatten() {
        counts[*id as usize] += 1.0;
    }
    let total: f64 = counts.iter().sum();
    let losses = test.iter().flatten().map(|id| (total / counts[*id as usize]).ln());
    let words = test.iter().map(Vec::len).sum::<usize>().max(1);
    (losses.sum::<f64>() / words as f64).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_but_the_first_is_foretold_once() {
        let documents = [vec![3, 4, 5, 2], vec![6, 7, 2], vec![8, 2]];
        let found = examples(&documents, 3);
        let ids: Vec<&[u32]> = found.iter().map(|one| &one.ids[..]).collect();
        assert_eq!(ids, [&[3, 4, 5, 2][..], &[2, 6, 7, 2], &[2, 8, 2]]);
        assert_eq!(found[1].documents, [0, 1, 1, 1]);
        let foretold: usize = found.iter().map(|one| one.ids.len() - 1).sum();
        assert_eq!(foretold, documents.concat().len() - 1);
    }

    #[test]
    fn frequencies_alone_have_the_perplexity_of_their_entropy() {
        // Counts 3 and 1 with one added to each: 4/6 and 2/6.
        let found = unigram(2, &[vec![0, 0, 0, 1]], &[vec![0, 1]]);
        assert!((found - (6.0_f64 / 4.0 * 3.0).sqrt()).abs() < 1e-12, "{found}");
    }
}
