//! Counting which words stand near which.
//!
//! Counts are kept as whole numbers until the text ends, so they do not depend on the order in
//! which they are added: the matrix is the same, to the last bit, for any number of threads, any
//! memory cap, and any number of shards.

mod config;
mod counter;
mod files;
mod matrix;
mod prefetch;
mod row;
mod run;
mod windows;

pub use config::{CountConfig, Keep, Sides, Subsample, SubsampleMode, Unknown};
pub use files::{CountsFile, count_shard, import_counts, merge_shards};
pub(crate) use row::{read_number, write_number};
pub(crate) use windows::{Layout, UNKNOWN, keep_probabilities};

use crate::corpus::{CorpusConfig, Shard, encode, encode_into};
use crate::{Counts, Result, Vocabulary};
use counter::Counter;
use matrix::{Scale, matrix};

/// The vocabulary of a text, and the counts of its pairs.
///
/// The text is read once.
///
/// ```
/// use sixfold_sgns::corpus::CorpusConfig;
/// use sixfold_sgns::counting::{CountConfig, count};
/// # let dir = tempfile::tempdir().unwrap();
/// # let path = dir.path().join("text.txt");
/// # std::fs::write(&path, "to be or not to be\n").unwrap();
/// let config =
///     CountConfig { min_count: 1, window: 1, subsample: None, ..CountConfig::default() };
/// let (vocabulary, counts) = count(&CorpusConfig::new([&path]), &config)?;
/// assert_eq!(vocabulary.word(0), "be");
/// // `be` stands beside `to`, twice, and beside `or`.
/// assert_eq!(counts.row_sums()[0], 3.0);
/// # Ok::<(), sixfold_sgns::Error>(())
/// ```
///
/// # Errors
/// [`Error::Io`] and [`Error::Malformed`] for files that cannot be read or are not UTF-8, or a
/// full disk; [`Error::Empty`] if nothing is left to count; [`Error::InvalidParameter`].
///
/// # Complexity
/// O(tokens · window), about six million tokens a second and thread at window 5. 4 bytes a token,
/// in memory or in a temporary file.
///
/// [`Error::Io`]: crate::Error::Io
/// [`Error::Malformed`]: crate::Error::Malformed
/// [`Error::Empty`]: crate::Error::Empty
/// [`Error::InvalidParameter`]: crate::Error::InvalidParameter
pub fn count(corpus: &CorpusConfig, config: &CountConfig) -> Result<(Vocabulary, Counts)> {
    config.validate()?;
    let (words, mut store) = encode(corpus, config.memory, config.temporary.as_ref())?;
    let (vocabulary, translate) = words.into_translated(config.min_count, config.top_n, UNKNOWN)?;
    let keep = keep_probabilities(&vocabulary, config)?;
    let mut counter = Counter::new(vocabulary.iter().map(|(_, n)| n), keep.as_deref(), config);
    let batch = rayon::current_num_threads();
    for start in (0..store.len()).step_by(batch) {
        let blocks = start..(start + batch).min(store.len());
        let tokens = blocks.map(|at| store.take(at)).collect::<Result<Vec<_>>>()?;
        counter.add(tokens, Some(&translate))?;
    }
    let (groups, run) = counter.finish()?;
    let scale = Scale::new(config, keep.as_deref());
    let counts = matrix(&groups, &run, scale, config.sides == Sides::Both)?;
    Ok((vocabulary, counts))
}

/// The counts of a text with a given vocabulary, whose counts of words sub-sampling goes by.
///
/// # Errors
/// Those of [`count`].
pub fn count_with(
    corpus: &CorpusConfig,
    vocabulary: &Vocabulary,
    config: &CountConfig,
) -> Result<Counts> {
    config.validate()?;
    let keep = keep_probabilities(vocabulary, config)?;
    let mut counter = Counter::new(vocabulary.iter().map(|(_, n)| n), keep.as_deref(), config);
    encode_into(corpus, Shard::WHOLE, vocabulary, UNKNOWN, config.memory, |batch| {
        counter.add(batch, None)
    })?;
    let (groups, run) = counter.finish()?;
    let scale = Scale::new(config, keep.as_deref());
    matrix(&groups, &run, scale, config.sides == Sides::Both)
}
