//! Training, from a text to vectors.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use ndarray::{Array2, s};
use rand::Rng;

use super::epochs::{SgdStep, Task, diverged, known};
use super::noise::Alias;
use super::piece::Draws;
use super::update::{LANES, Own, Shared, pack, unpack};
use super::{Noise, SgdConfig, SgdFit};
use crate::corpus::{CorpusConfig, Shard, Store, encode_into};
use crate::counting::{UNKNOWN, count_with, keep_probabilities};
use crate::{Error, Result, Vocabulary};

/// Stochastic training on a text, of which it keeps the ids of the words.
///
/// ```
/// use std::ops::ControlFlow;
/// use sixfold_sgns::corpus::{CorpusConfig, Shard, count_words};
/// use sixfold_sgns::stochastic::{Sgd, SgdConfig};
/// # let dir = tempfile::tempdir().unwrap();
/// # let path = dir.path().join("text.txt");
/// # std::fs::write(&path, "the cat eats the fish\nthe dog eats the bone\n").unwrap();
/// let corpus = CorpusConfig::new([&path]);
/// let words = count_words(&corpus, Shard::WHOLE, 1 << 30)?.into_vocabulary(1, None)?;
/// let config = SgdConfig { dim: 10, epochs: 20, ..SgdConfig::word2vec() };
/// let fit = Sgd::new(&corpus, &words, &config)?.train(|_| ControlFlow::Continue(()))?;
/// let vectors = fit.vectors(words)?;
/// assert_eq!(vectors.neighbours("cat", 3)?.len(), 3);
/// # Ok::<(), sixfold_sgns::Error>(())
/// ```
///
/// # References
/// Mikolov et al. 2013, "Distributed Representations of Words and Phrases and their
/// Compositionality"; Niu et al. 2011, "Hogwild!", for more than one thread.
#[derive(Debug)]
#[doc(alias = "word2vec")]
pub struct Sgd {
    pub(super) config: SgdConfig,
    pub(super) words: usize,
    /// Occurrences of known words.
    pub(super) tokens: u64,
    pub(super) store: Store,
    pub(super) keep: Option<Vec<f64>>,
    pub(super) draws: Draws,
}

impl Sgd {
    /// Reads a text with a vocabulary, whose counts sub-sampling and negatives go by.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Malformed`] for files that cannot be read or are not UTF-8;
    /// [`Error::Empty`] for a vocabulary of less than two words, or if the text has none of its
    /// words; those of [`SgdConfig::validate`].
    ///
    /// # Complexity
    /// 4 bytes a token, in memory or in a temporary file.
    pub fn new(corpus: &CorpusConfig, vocabulary: &Vocabulary, config: &SgdConfig) -> Result<Self> {
        config.validate()?;
        let (words, pairs) = (vocabulary.len(), &config.pairs);
        if words < 2 {
            let reason = format!("{words} words, and two are needed");
            return Err(Error::Empty { what: "the vocabulary", reason });
        }
        let mut store = Store::new(pairs.memory / 4, pairs.temporary.as_ref());
        let mut tokens = 0;
        encode_into(corpus, Shard::WHOLE, vocabulary, UNKNOWN, pairs.memory, |batch| {
            batch.into_iter().try_for_each(|block| {
                tokens += known(&block.ids, words);
                store.push(block)
            })
        })?;
        if tokens == 0 {
            let reason = "it has none of the words of the vocabulary".to_owned();
            return Err(Error::Empty { what: "the corpus", reason });
        }
        let counts: Vec<f64> = match config.noise {
            Noise::Words => vocabulary.iter().map(|(_, count)| count as f64).collect(),
            Noise::Contexts => count_with(corpus, vocabulary, pairs)?.column_sums().to_vec(),
        };
        let smoothed = |&count: &f64| if count > 0.0 { count.powf(config.smoothing) } else { 0.0 };
        let draws = Draws {
            noise: Alias::new(&counts.iter().map(smoothed).collect::<Vec<_>>())?,
            negatives: config.negatives,
            collisions: config.collisions,
            window: pairs.window,
            dynamic: pairs.dynamic,
            sides: pairs.sides,
            nothing: words as u32,
        };
        let keep = keep_probabilities(vocabulary, pairs)?;
        Ok(Self { config: config.clone(), words, tokens, store, keep, draws })
    }

    /// Trains vectors from the start: words uniform in ±1/(2d), contexts 0. `progress` is called
    /// after every 16,384 places of the text, or with several threads after some blocks of it, and
    /// may end the training early.
    ///
    /// With one thread the result is the same, to the last bit, every time and whatever the memory
    /// cap, on machines with vector registers of one width.
    ///
    /// # Errors
    /// [`Error::Diverged`] if a vector is not finite any more; [`Error::Io`] for the temporary file.
    ///
    /// # Panics
    /// Never: all rows are of one width.
    ///
    /// # Complexity
    /// O(pairs·(k + 1)·d) in each epoch. With several threads every update copies its vectors, since
    /// numbers that are shared cannot be loaded a register at a time: that takes twice the time, so that
    /// two threads gain nothing.
    pub fn train(&self, progress: impl FnMut(SgdStep) -> ControlFlow<()>) -> Result<SgdFit> {
        let width = self.config.dim.next_multiple_of(LANES);
        let mut words = self.initial(width);
        let mut contexts = vec![0.0; self.words * width];
        let finished;
        if self.config.threads == 1 {
            let mut tables = Own { words: &mut words, contexts: &mut contexts, width };
            let one = |tasks: &[Task<'_>]| tasks.iter().all(|task| self.run(task, &mut tables));
            finished = self.epochs(progress, one)?;
        } else {
            let (shared_words, shared_contexts) = (share(&words), share(&contexts));
            let all = |tasks: &[Task<'_>]| {
                let (next, good) = (AtomicUsize::new(0), AtomicBool::new(true));
                let work = || {
                    let targets = 1 + self.config.negatives;
                    let mut tables = Shared::new(&shared_words, &shared_contexts, width, targets);
                    while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if !self.run(task, &mut tables) {
                            good.store(false, Ordering::Relaxed);
                        }
                    }
                };
                std::thread::scope(|scope| {
                    for _ in 0..self.config.threads.min(tasks.len()) {
                        scope.spawn(work);
                    }
                });
                good.into_inner()
            };
            finished = self.epochs(progress, all)?;
            (words, contexts) = (own(shared_words), own(shared_contexts));
        }
        let [words, contexts] = [words, contexts].map(|values| {
            let padded = Array2::from_shape_vec((self.words, width), values);
            padded.expect("rows of one width").slice(s![.., ..self.config.dim]).to_owned()
        });
        if words.iter().chain(&contexts).any(|value| !value.is_finite()) {
            return Err(diverged(self.config.epochs - 1, self.config.min_learning_rate));
        }
        Ok(SgdFit { words, contexts, finished })
    }

    fn initial(&self, width: usize) -> Vec<f32> {
        let mut random = self.random(u64::MAX);
        let mut words = vec![0.0; self.words * width];
        for row in words.chunks_exact_mut(width) {
            for value in &mut row[..self.config.dim] {
                let uniform = f64::from(random.next_u32()) / 2f64.powi(32) - 0.5;
                *value = (uniform / self.config.dim as f64) as f32;
            }
        }
        words
    }
}

fn share(values: &[f32]) -> Vec<AtomicU64> {
    values.as_chunks::<2>().0.iter().map(|two| AtomicU64::new(pack(*two))).collect()
}

fn own(cells: Vec<AtomicU64>) -> Vec<f32> {
    cells.into_iter().flat_map(|cell| unpack(cell.into_inner())).collect()
}
