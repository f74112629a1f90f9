//! What is counted, and how.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Which pairs of a word and a context are counted, and with which weights.
///
/// The defaults are those of word2vec.c and gensim, with expectations in the place of draws.
///
/// # References
/// Levy, Goldberg and Dagan, "Improving Distributional Similarity with Lessons Learned from Word
/// Embeddings", TACL 2015, §3.1. Their `dyn`, `sub` and `del` are `dynamic`, `subsample` and
/// [`Unknown::Remove`] with [`SubsampleMode::Dirty`].
#[derive(Clone, Debug)]
pub struct CountConfig {
    /// Words that come less often are unknown. Not used where a vocabulary is given.
    pub min_count: u64,
    /// Only so many words, the most frequent ones. Not used where a vocabulary is given.
    pub top_n: Option<usize>,
    /// L: contexts are the L words before and the L words behind a word, within a document.
    pub window: usize,
    /// A context at distance Δ counts (L − Δ + 1)/L: what windows of a length drawn from 1..=L give
    /// on average. Otherwise 1.
    pub dynamic: bool,
    /// Frequent words count less.
    pub subsample: Option<Subsample>,
    /// What becomes of words that are not in the vocabulary.
    pub unknown: Unknown,
    /// On which sides contexts stand.
    pub sides: Sides,
    /// Bytes of memory to use, beside the vocabulary and the finished matrix; what does not fit
    /// goes to temporary files. From 64 MB on it is kept to within a tenth by a few threads; the
    /// allocator of glibc holds back up to 15 MB for each further one, unless `MALLOC_ARENA_MAX=1`
    /// is in the environment. The longest document is in memory whole.
    pub memory: u64,
    /// Folder of temporary files; `None` is the system's.
    pub temporary: Option<PathBuf>,
}

/// Sub-sampling of frequent words: word w is kept with a probability that depends on its share f of
/// all occurrences of known words.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subsample {
    /// t, the share from which on a word is thinned out; 1e-3 … 1e-5.
    pub threshold: f64,
    /// The probability.
    pub keep: Keep,
    /// Whether words are drawn, or counts weighted.
    pub mode: SubsampleMode,
}

/// The probability of keeping a word of share f at threshold t.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// √(t/f) + t/f, as word2vec.c and gensim have it.
    #[default]
    Word2vec,
    /// √(t/f), as the papers have it (Mikolov et al. 2013, equation 5; Levy et al. 2015).
    Paper,
}

/// Whether words are drawn, or counts weighted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubsampleMode {
    /// A pair counts keep(w)·keep(c), what `Clean` gives on average.
    #[default]
    Expected,
    /// Words are drawn. One that is dropped leaves its place empty: others stay as far apart as
    /// they were. hyperwords calls it clean.
    Clean {
        /// Seed of the draws, which do not depend on threads, memory or shards.
        seed: u64,
    },
    /// Words are drawn and dropped before windows are laid, as in word2vec.c: others come nearer.
    Dirty {
        /// Seed of the draws.
        seed: u64,
    },
}

/// What becomes of words that are not in the vocabulary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unknown {
    /// They are dropped before windows are laid, as in word2vec.c, gensim and GloVe.
    #[default]
    Remove,
    /// They take their place in windows, but are not counted.
    KeepPosition,
}

/// On which sides contexts stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sides {
    /// Before and behind the word: the matrix is symmetric.
    #[default]
    Both,
    /// Before it.
    Left,
    /// Behind it.
    Right,
}

impl Default for CountConfig {
    fn default() -> Self {
        Self {
            min_count: 5,
            top_n: None,
            window: 5,
            dynamic: true,
            subsample: Some(Subsample::new(1e-3)),
            unknown: Unknown::default(),
            sides: Sides::default(),
            memory: 2 << 30,
            temporary: None,
        }
    }
}

impl Subsample {
    /// word2vec's probabilities at a threshold, in expectation.
    pub fn new(threshold: f64) -> Self {
        Self { threshold, keep: Keep::default(), mode: SubsampleMode::default() }
    }

    /// The probability of keeping a word of share `f`.
    pub fn probability(&self, f: f64) -> f64 {
        let ratio = self.threshold / f;
        match self.keep {
            Keep::Word2vec => (ratio.sqrt() + ratio).min(1.0),
            Keep::Paper => ratio.sqrt().min(1.0),
        }
    }
}

impl CountConfig {
    /// The longest window; more is a mistake.
    pub const MAX_WINDOW: usize = 1000;

    /// Checks all values.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for the first that is outside its range.
    pub fn validate(&self) -> Result<()> {
        let invalid =
            |name, found, expected| Err(Error::InvalidParameter { name, found, expected });
        if !(1..=Self::MAX_WINDOW).contains(&self.window) {
            return invalid("window", self.window as f64, "1 to 1000");
        }
        if let Some(Subsample { threshold, .. }) = self.subsample
            && !(threshold > 0.0 && threshold.is_finite())
        {
            return invalid("threshold of sub-sampling", threshold, "a finite number above 0");
        }
        if self.memory < 1 << 20 {
            return invalid("memory", self.memory as f64, "1 MiB (1048576 bytes) or more");
        }
        Ok(())
    }

    /// Weights of the 2L + 1 places around a word, in units of 1/[`Self::unit`].
    pub(crate) fn weights(&self) -> Vec<u64> {
        let l = self.window;
        let weight = |at: usize| {
            let distance = at.abs_diff(l);
            let counted = match self.sides {
                Sides::Both => distance > 0,
                Sides::Left => at < l,
                Sides::Right => at > l,
            };
            match (counted, self.dynamic) {
                (false, _) => 0,
                (true, true) => (l - distance + 1) as u64,
                (true, false) => 1,
            }
        };
        (0..=2 * l).map(weight).collect()
    }

    /// Counts are whole numbers of 1/unit.
    pub(crate) fn unit(&self) -> u64 {
        if self.dynamic { self.window as u64 } else { 1 }
    }
}
