//! All words of a text and how often they come, before any is dropped.

use std::path::PathBuf;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::blocks::{Block, Blocks};
use super::config::{CorpusConfig, Shard};
use super::store::{Store, Tokens};
use super::tokenise::{END, Tokenised, tokenise};
use crate::{Error, Result, Vocabulary};

/// Exact counts of all words of a text, or of a part of it.
///
/// ```
/// use sixfold_sgns::corpus::WordCounts;
/// let mut counts = WordCounts::default();
/// for word in ["to", "be", "or", "not", "to", "be"] {
///     counts.add(word, 1);
/// }
/// let vocabulary = counts.into_vocabulary(2, None)?;
/// assert_eq!(vocabulary.iter().collect::<Vec<_>>(), [("be", 2), ("to", 2)]);
/// # Ok::<(), sixfold_sgns::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct WordCounts {
    ids: FxHashMap<Box<str>, u32>,
    counts: Vec<u64>,
    bytes: u64,
}

/// What a word takes beside its letters: its place in the table, which is half empty, and the
/// allocation.
const WORD_BYTES: u64 = 80;

impl WordCounts {
    /// Adds occurrences of a word.
    pub fn add(&mut self, word: &str, count: u64) {
        self.intern(word, count);
    }

    /// Adds the counts of another part of the text.
    pub fn merge(&mut self, other: &Self) {
        for (word, count) in other.iter() {
            self.intern(word, count);
        }
    }

    fn intern(&mut self, word: &str, count: u64) -> u32 {
        let id = match self.ids.get(word) {
            Some(id) => *id,
            None => {
                let id = self.counts.len() as u32;
                self.ids.insert(word.into(), id);
                self.counts.push(0);
                self.bytes += WORD_BYTES + word.len() as u64;
                id
            }
        };
        self.counts[id as usize] += count;
        id
    }

    /// How many different words there are.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Occurrences of all words together.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Words and counts, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.ids.iter().map(|(word, id)| (word.as_ref(), self.counts[*id as usize]))
    }

    /// The words that come `min_count` times or more, of these the `top_n` most frequent: by
    /// falling counts, and in the order of their bytes where counts are equal.
    ///
    /// # Errors
    /// [`Error::Empty`] if fewer than two words are left: one word has nothing to be told from.
    pub fn into_vocabulary(self, min_count: u64, top_n: Option<usize>) -> Result<Vocabulary> {
        self.into_translated(min_count, top_n, 0).map(|(vocabulary, _)| vocabulary)
    }

    /// The vocabulary, and the new id of each old one; `unknown` for words that are dropped.
    pub(crate) fn into_translated(
        self,
        min_count: u64,
        top_n: Option<usize>,
        unknown: u32,
    ) -> Result<(Vocabulary, Vec<u32>)> {
        let Self { ids, counts, .. } = self;
        let (all, total) = (counts.len(), counts.iter().sum::<u64>());
        if all == 0 {
            let reason = "it has no words; look at the files, the column and the normalisation";
            return Err(Error::Empty { what: "the corpus", reason: reason.into() });
        }
        let kept = |id: &u32| counts[*id as usize] >= min_count;
        let mut words: Vec<_> = ids.into_iter().filter(|(_, id)| kept(id)).collect();
        words.sort_unstable_by(|(a, i), (b, j)| {
            counts[*j as usize].cmp(&counts[*i as usize]).then_with(|| a.cmp(b))
        });
        words.truncate(top_n.unwrap_or(usize::MAX));
        if words.len() < 2 {
            let reason = format!(
                "{} of {all} words ({total} occurrences) left with min_count {min_count}{}, and two \
                 are needed; lower min_count{} or take more text",
                words.len(),
                top_n.map_or(String::new(), |n| format!(" and top_n {n}")),
                if top_n.is_some() { ", raise top_n" } else { "" },
            );
            return Err(Error::Empty { what: "the vocabulary", reason });
        }
        let mut translate = vec![unknown; all];
        for (new, (_, old)) in words.iter().enumerate() {
            translate[*old as usize] = new as u32;
        }
        let vocabulary =
            Vocabulary::new(words.into_iter().map(|(word, id)| (word, counts[id as usize])))?;
        Ok((vocabulary, translate))
    }

    fn check(&self, memory: u64) -> Result<()> {
        if self.bytes > memory {
            return Err(Error::InvalidParameter {
                name: "memory",
                found: memory as f64,
                expected: "room for all different words of the text: raise the cap, or count words \
                           in parts (vocab --shard)",
            });
        }
        Ok(())
    }
}

/// Counts the words of a text, or of a shard of it.
///
/// `memory` is in bytes; the words must fit into it.
///
/// # Errors
/// [`Error::Io`] and [`Error::Malformed`] for files that cannot be read or are not UTF-8;
/// [`Error::InvalidParameter`] if the words need more than `memory`.
pub fn count_words(corpus: &CorpusConfig, shard: Shard, memory: u64) -> Result<WordCounts> {
    let mut words = WordCounts::default();
    for_each_batch(corpus, shard, memory, |batch| {
        for (_, found) in &batch {
            for (word, count) in found.words.iter().zip(&found.counts) {
                words.intern(word, *count);
            }
        }
        words.check(memory)
    })?;
    Ok(words)
}

/// One pass over a text that gives its words and itself as ids of these words.
pub(crate) fn encode(
    corpus: &CorpusConfig,
    memory: u64,
    dir: Option<&PathBuf>,
) -> Result<(WordCounts, Store)> {
    let mut words = WordCounts::default();
    let mut store = Store::new(memory / 4, dir);
    for_each_batch(corpus, Shard::WHOLE, memory, |batch| {
        let intern = |(block, found): (u64, Tokenised<'_>)| {
            let known = found.words.iter().zip(&found.counts);
            let ids: Vec<u32> = known.map(|(word, count)| words.intern(word, *count)).collect();
            (block, found.ids, ids)
        };
        let batch: Vec<_> = batch.into_iter().map(intern).collect();
        words.check(memory)?;
        let translated: Vec<Tokens> = batch.into_par_iter().map(translated).collect();
        translated.into_iter().try_for_each(|tokens| store.push(tokens))
    })?;
    Ok((words, store))
}

/// One pass over a shard of a text as ids of a vocabulary, `unknown` for other words. Batches come
/// in the order of the text.
pub(crate) fn encode_into(
    corpus: &CorpusConfig,
    shard: Shard,
    vocabulary: &Vocabulary,
    unknown: u32,
    memory: u64,
    mut each: impl FnMut(Vec<Tokens>) -> Result<()> + Send,
) -> Result<()> {
    for_each_batch(corpus, shard, memory, |batch| {
        let known = |(block, found): (u64, Tokenised<'_>)| {
            let id = |word: &str| vocabulary.id(word).map_or(unknown, |id| id as u32);
            let ids = found.words.iter().map(|word| id(word)).collect();
            translated((block, found.ids, ids))
        };
        each(batch.into_par_iter().map(known).collect())
    })
}

/// Hands on documents, none of which is empty, in the order of the text.
pub(crate) fn for_each_document(
    corpus: &CorpusConfig,
    memory: u64,
    mut each: impl FnMut(&[&str]) -> Result<()> + Send,
) -> Result<()> {
    for_each_batch(corpus, Shard::WHOLE, memory, |batch| {
        for (_, found) in &batch {
            let words = |ids: &[u32]| -> Vec<&str> {
                ids.iter().map(|id| found.words[*id as usize].as_ref()).collect()
            };
            let documents = found.ids.split(|id| *id == END).map(words);
            documents.filter(|words| !words.is_empty()).try_for_each(|words| each(&words))?;
        }
        Ok(())
    })
}

fn translated((block, mut ids, new): (u64, Vec<u32>, Vec<u32>)) -> Tokens {
    for id in ids.iter_mut().filter(|id| **id != END) {
        *id = new[*id as usize];
    }
    Tokens { block, ids }
}

/// Cuts blocks into words on all threads and hands them on in the order of the text; the next
/// blocks are read meanwhile. Each comes with a number that names it within the text.
fn for_each_batch(
    corpus: &CorpusConfig,
    shard: Shard,
    memory: u64,
    mut each: impl FnMut(Vec<(u64, Tokenised<'_>)>) -> Result<()> + Send,
) -> Result<()> {
    corpus.validate()?;
    // A block takes about four times its size while it is cut, and twice while it is read ahead.
    let fit = memory / 8 / (6 * corpus.block_bytes as u64);
    let size = rayon::current_num_threads().min(fit as usize).max(1);
    let mut blocks = Blocks::new(corpus, shard);
    let mut read = || -> Result<Vec<Block>> {
        std::iter::from_fn(|| blocks.next().transpose()).take(size).collect()
    };
    let mut batch = read()?;
    while !batch.is_empty() {
        let (next, done) = rayon::join(&mut read, || {
            let cut = batch.par_iter_mut().map(|block| {
                let number = (block.file as u64) << 40 | block.index;
                Ok((number, tokenise(block, corpus)?))
            });
            each(cut.collect::<Result<Vec<_>>>()?)
        });
        done?;
        batch = next?;
    }
    Ok(())
}
