//! Phrases: words that stand together more often than chance has it.

use std::borrow::Cow;
use std::io::Write;
use std::path::Path;

use rustc_hash::{FxHashMap, FxHashSet};
use sixfold_linalg::files::try_write_atomically;

use crate::corpus::{CorpusConfig, for_each_document};
use crate::{Error, Result};

/// How phrases are found.
#[derive(Clone, Debug)]
pub struct PhrasesConfig {
    /// What a phrase is worth.
    pub scorer: Scorer,
    /// Scores above it make a phrase. For [`Scorer::Npmi`] between −1 and 1.
    pub threshold: f64,
    /// δ: pairs that come so often or less make no phrase with the first two scorers; with
    /// [`Scorer::Npmi`] pairs that come less often.
    pub min_count: u64,
    /// Words like `of` that neither begin nor end a phrase, but may stand within one.
    pub connectors: Vec<String>,
    /// Bytes that the counts of words and pairs may take.
    pub memory: u64,
}

/// What a phrase a b is worth.
///
/// # References
/// Mikolov et al., "Distributed Representations of Words and Phrases and their Compositionality",
/// NeurIPS 2013, equation 6. Bouma, "Normalized (Pointwise) Mutual Information in Collocation
/// Extraction", 2009.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scorer {
    /// (#(a b) − δ) / (#(a) · #(b)) · the number of different words and pairs, as gensim has it.
    #[default]
    Gensim,
    /// (#(a b) − δ) / (#(a) · #(b)) · the number of words of the text, as word2phrase.c has it.
    Word2phrase,
    /// log(p(a b) / (p(a) · p(b))) / −log p(a b).
    Npmi,
}

impl Default for PhrasesConfig {
    fn default() -> Self {
        Self {
            scorer: Scorer::default(),
            threshold: 10.0,
            min_count: 5,
            connectors: Vec::new(),
            memory: 2 << 30,
        }
    }
}

/// The phrases of a text.
///
/// ```
/// use sixfold_sgns::corpus::CorpusConfig;
/// use sixfold_sgns::phrases::{Phrases, PhrasesConfig};
/// # let dir = tempfile::tempdir().unwrap();
/// # let path = dir.path().join("text.txt");
/// # std::fs::write(&path, "in new york\nnew york is old\nold is the new old\n").unwrap();
/// let config = PhrasesConfig { min_count: 1, threshold: 1.0, ..PhrasesConfig::default() };
/// let phrases = Phrases::learn(&CorpusConfig::new([&path]), &config)?;
/// assert_eq!(phrases.apply(&["to", "new", "york"]), ["to", "new_york"]);
/// # Ok::<(), sixfold_sgns::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Phrases {
    ids: FxHashMap<Box<str>, u32>,
    connectors: FxHashSet<u32>,
    /// Scores by the words of a phrase.
    scores: FxHashMap<Box<[u32]>, f64>,
}

impl Phrases {
    /// Finds the phrases of a text in one pass. Phrases of three words and more, other than by
    /// connectors, come from a second pass over the [rewritten](Self::rewrite) text.
    ///
    /// # Errors
    /// Those of [`count`](crate::counting::count); [`Error::InvalidParameter`] if words and pairs
    /// need more than the memory.
    pub fn learn(corpus: &CorpusConfig, config: &PhrasesConfig) -> Result<Self> {
        let mut counts = Counted::default();
        for word in &config.connectors {
            let id = counts.id(word);
            counts.connectors.insert(id);
        }
        for_each_document(corpus, config.memory, |document| {
            counts.document(document);
            match counts.bytes() > config.memory {
                true => Err(Error::InvalidParameter {
                    name: "memory",
                    found: config.memory as f64,
                    expected: "room for all different words and pairs of the text",
                }),
                false => Ok(()),
            }
        })?;
        if counts.total == 0 {
            let reason = "it has no words; look at the files, the column and the normalisation";
            return Err(Error::Empty { what: "the corpus", reason: reason.into() });
        }
        Ok(counts.phrases(config))
    }

    /// Words with phrases joined by `_`, from left to right: a word is in one phrase at most.
    pub fn apply<'a>(&self, words: &[&'a str]) -> Vec<Cow<'a, str>> {
        let id = |word: &&str| self.ids.get(*word).copied();
        let ids: Vec<Option<u32>> = words.iter().map(id).collect();
        let connects = |at: usize| ids[at].is_some_and(|id| self.connectors.contains(&id));
        let mut joined = Vec::with_capacity(words.len());
        let mut key = Vec::new();
        let mut at = 0;
        while at < words.len() {
            // Where the next word stands that is no connector, if this is none.
            let end = (at + 1..words.len()).find(|end| !connects(*end) || connects(at));
            let end = end.filter(|end| {
                key.clear();
                key.extend(ids[at..=*end].iter().flatten());
                key.len() == end - at + 1 && self.scores.contains_key(&key[..])
            });
            match end {
                Some(end) => {
                    joined.push(Cow::Owned(words[at..=end].join("_")));
                    at = end + 1;
                }
                None => {
                    joined.push(Cow::Borrowed(words[at]));
                    at += 1;
                }
            }
        }
        joined
    }

    /// Writes a text with its phrases joined: a document a line, words apart by a space.
    ///
    /// # Errors
    /// Those of reading the text; [`Error::Io`] naming `path`, and then what was there is still
    /// there.
    pub fn rewrite(&self, corpus: &CorpusConfig, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        try_write_atomically(path, |file| {
            for_each_document(corpus, PhrasesConfig::default().memory, |document| {
                let mut line = self.apply(document).join(" ");
                line.push('\n');
                file.write_all(line.as_bytes()).map_err(Error::io(path))
            })
        })
    }

    /// All phrases, joined, with their scores: the best first, then by their letters.
    pub fn list(&self) -> Vec<(String, f64)> {
        let mut words = vec![""; self.ids.len()];
        for (word, id) in &self.ids {
            words[*id as usize] = word;
        }
        let joined = |ids: &[u32]| {
            let parts: Vec<&str> = ids.iter().map(|id| words[*id as usize]).collect();
            parts.join("_")
        };
        let mut list: Vec<_> =
            self.scores.iter().map(|(ids, score)| (joined(ids), *score)).collect();
        list.sort_unstable_by(|(a, x), (b, y)| y.total_cmp(x).then_with(|| a.cmp(b)));
        list
    }
}

/// Counts of words, of pairs of neighbours, and of pairs with connectors between them.
#[derive(Debug, Default)]
struct Counted {
    ids: FxHashMap<Box<str>, u32>,
    counts: Vec<u64>,
    connectors: FxHashSet<u32>,
    pairs: FxHashMap<[u32; 2], u64>,
    connected: FxHashMap<Box<[u32]>, u64>,
    letters: usize,
    total: u64,
    document: Vec<u32>,
}

impl Counted {
    fn id(&mut self, word: &str) -> u32 {
        if let Some(id) = self.ids.get(word) {
            return *id;
        }
        let id = self.counts.len() as u32;
        self.ids.insert(word.into(), id);
        self.counts.push(0);
        self.letters += word.len();
        id
    }

    fn document(&mut self, words: &[&str]) {
        let mut ids = std::mem::take(&mut self.document);
        ids.clear();
        ids.extend(words.iter().map(|word| self.id(word)));
        self.total += ids.len() as u64;
        let mut start = None;
        for (at, id) in ids.iter().enumerate() {
            if self.connectors.contains(id) {
                continue;
            }
            self.counts[*id as usize] += 1;
            match start.map(|start| &ids[start..=at]) {
                Some([a, b]) => *self.pairs.entry([*a, *b]).or_default() += 1,
                Some(phrase) => match self.connected.get_mut(phrase) {
                    Some(count) => *count += 1,
                    None => _ = self.connected.insert(phrase.into(), 1),
                },
                None => {}
            }
            start = Some(at);
        }
        self.document = ids;
    }

    /// What the tables take, which double when they are seven eighths full.
    fn bytes(&self) -> u64 {
        let words = 40 * self.ids.capacity() + 16 * self.ids.len() + self.letters;
        let pairs = 20 * self.pairs.capacity();
        let connected = 28 * self.connected.capacity() + 32 * self.connected.len();
        (words + pairs + connected) as u64
    }

    fn phrases(self, config: &PhrasesConfig) -> Phrases {
        let seen = self.counts.iter().filter(|count| **count > 0).count();
        let different = (seen + self.pairs.len() + self.connected.len()) as f64;
        let total = self.total as f64;
        let score = |a: u32, b: u32, both: u64| {
            let [a, b] = [a, b].map(|id| self.counts[id as usize] as f64);
            let above = both as f64 - config.min_count as f64;
            match config.scorer {
                Scorer::Gensim => above / a / b * different,
                Scorer::Word2phrase => above / a / b * total,
                Scorer::Npmi if above < 0.0 => f64::NEG_INFINITY,
                Scorer::Npmi => {
                    let p = both as f64 / total;
                    (p / ((a / total) * (b / total))).ln() / -p.ln()
                }
            }
        };
        let mut scores = FxHashMap::default();
        let mut keep = |phrase: &[u32], both| {
            let [a, .., b] = phrase else { return };
            let score = score(*a, *b, both);
            if score > config.threshold {
                scores.insert(phrase.into(), score);
            }
        };
        self.pairs.iter().for_each(|(pair, both)| keep(pair, *both));
        self.connected.iter().for_each(|(phrase, both)| keep(phrase, *both));
        Phrases { ids: self.ids, connectors: self.connectors, scores }
    }
}
