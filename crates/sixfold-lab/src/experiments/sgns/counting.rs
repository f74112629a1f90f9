//! What is counted: the keys that say so, and the counting.

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use sixfold_sgns::corpus::{self, Normalise};
use sixfold_sgns::counting::{CountConfig, Subsample, Unknown, count};
use sixfold_sgns::{Error, Objective, ObjectiveConfig, Vocabulary};

use super::clock::Stopwatch;
use crate::config::Problem;
use crate::context::Context;
use crate::data::{Input, InputKind};

/// The text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CorpusRef {
    /// UTF-8 text, one document a line; `.gz` is unpacked while it is read.
    pub path: String,
    /// The column of a `.tsv`, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// What is a word.
    pub normalise: Normalise,
}

impl Default for CorpusRef {
    fn default() -> Self {
        Self { path: String::new(), column: None, normalise: Normalise::Ascii }
    }
}

impl CorpusRef {
    /// The file, which has to be there.
    pub(super) fn input(&self) -> Input {
        Input::new(InputKind::File, "corpus.path", &self.path)
    }

    /// What is wrong with it.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.path.is_empty() {
            problems.push(Problem::new("corpus.path", "is empty; a text file is expected"));
        }
        let table = self.path.trim_end_matches(".gz").ends_with(".tsv");
        if table && self.column.is_none() {
            let message = "is missing: the text is a table, and its column is expected, from 0";
            problems.push(Problem::new("corpus.column", message));
        }
        problems
    }

    /// For a sentence: the name of the file.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit(['/', '\\']).next().unwrap_or_default()
    }

    /// The text as the library reads it.
    pub(super) fn open(&self, cx: &Context) -> Result<corpus::CorpusConfig> {
        let path = cx.locator().existing("corpus.path", &self.path)?;
        Ok(corpus::CorpusConfig {
            column: self.column,
            normalise: self.normalise,
            ..corpus::CorpusConfig::new([path])
        })
    }
}

/// Which words, which pairs, which objective.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Counting {
    pub(super) min_count: u64,
    pub(super) top_n: usize,
    pub(super) window: usize,
    pub(super) dynamic_window: bool,
    pub(super) subsample: f64,
    pub(super) unknown: Unknown,
    pub(super) negatives: usize,
    pub(super) smoothing: f64,
}

impl Counting {
    pub(super) fn config(&self) -> CountConfig {
        CountConfig {
            min_count: self.min_count,
            top_n: (self.top_n > 0).then_some(self.top_n),
            window: self.window,
            dynamic: self.dynamic_window,
            // Whether a threshold below 0 is one is for the library to say.
            subsample: (self.subsample != 0.0).then(|| Subsample::new(self.subsample)),
            unknown: self.unknown,
            ..CountConfig::default()
        }
    }

    pub(super) fn objective(&self) -> ObjectiveConfig {
        ObjectiveConfig { negatives: self.negatives as f64, smoothing: self.smoothing }
    }

    /// What is wrong with it, as the library sees it.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let checks = [self.config().validate(), self.objective().validate()];
        let of = |check: Result<(), Error>| match check {
            Err(Error::InvalidParameter { name, found, expected }) => {
                let key = if name.contains("sub-sampling") { "subsample" } else { name };
                Some(Problem::new(key, format!("{found} is not {expected}")))
            }
            Err(error) => Some(Problem::new("corpus", error.to_string())),
            Ok(()) => None,
        };
        checks.into_iter().filter_map(of).collect()
    }
}

/// A counted text.
pub(super) struct Text {
    /// Where it stands, for methods that read it again.
    pub(super) corpus: corpus::CorpusConfig,
    pub(super) vocabulary: Vocabulary,
    pub(super) objective: Objective,
    /// Words of the text that are in the vocabulary, with repetition.
    pub(super) tokens: u64,
    /// Seconds that counting took.
    pub(super) seconds: f64,
}

impl Text {
    /// Reads and counts.
    pub(super) fn count(corpus: &CorpusRef, counting: &Counting, cx: &Context) -> Result<Self> {
        let mut task = cx.progress().task("counting", 0, "tokens");
        let corpus = corpus.open(cx)?;
        let watch = Stopwatch::start();
        let (vocabulary, counts) = count(&corpus, &counting.config()).context("counting")?;
        let seconds = watch.seconds();
        let tokens = vocabulary.iter().map(|(_, n)| n).sum();
        task.advance(tokens);
        drop(task);
        cx.check_interrupt()?;
        let objective = Objective::new(counts, &counting.objective())?;
        Ok(Self { corpus, vocabulary, objective, tokens, seconds })
    }

    /// One sentence on what was counted.
    pub(super) fn note(&self) -> String {
        let counts = self.objective.counts();
        format!(
            "{} words that make up {} tokens of the text; {} pairs that differ, {:.4e} in all.",
            self.vocabulary.len(),
            self.tokens,
            counts.non_zeros(),
            counts.total()
        )
    }
}
