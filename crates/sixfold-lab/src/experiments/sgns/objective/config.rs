//! The config of `sgns/objective`.

use serde::{Deserialize, Serialize};
use sixfold_sgns::counting::Unknown;

use super::super::config::{Common, dims_problems};
use super::super::counting::{CorpusRef, Counting};
use super::super::method::{Direction, Metric, Solving};
use super::super::stochastic::SgdRef;
use crate::config::{Problem, Validate};

/// Which objective, and how it is climbed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ObjectiveConfig {
    /// The text.
    pub corpus: CorpusRef,
    /// The vocabularies: each makes an objective of its own.
    pub vocabularies: Vec<VocabularyRef>,
    /// Contexts are so many words on either side.
    pub window: usize,
    /// Whether nearer contexts count more, as in word2vec.
    pub dynamic_window: bool,
    /// The share from which on frequent words count less; 0 for never.
    pub subsample: f64,
    /// Negative samples for each pair.
    pub negatives: usize,
    /// Exponent of the counts in the distribution of negatives.
    pub smoothing: f64,
    /// Ranks.
    pub dims: Vec<usize>,
    /// Iterations in the frequency metric.
    pub iterations: usize,
    /// Their step, relative to the largest curvature.
    pub step: f64,
    /// The share of the last change that the next one takes with it.
    pub momentum: f64,
    /// The paper's update.
    pub euclidean: EuclideanRef,
    /// The stochastic method.
    pub sgd: SgdRef,
}

/// Which words are known, and what becomes of the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VocabularyRef {
    /// Words that come less often are unknown.
    pub min_count: u64,
    /// Only so many words, the most frequent ones; 0 for all.
    pub top_n: usize,
    /// What becomes of unknown words: `remove`, or `keep-position`.
    pub unknown: Unknown,
}

impl Default for VocabularyRef {
    fn default() -> Self {
        Self { min_count: 5, top_n: 0, unknown: Unknown::Remove }
    }
}

/// The paper's update: euclidean, with a fixed step, nothing taken back. All steps are tried, and
/// the one that ends highest without ever falling is its best stable one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EuclideanRef {
    /// Iterations.
    pub iterations: usize,
    /// Steps relative to the largest curvature that the objective can have.
    pub steps: Vec<f64>,
    /// Steps λ as in the paper, which belong to one corpus.
    pub lambdas: Vec<f64>,
}

impl Default for EuclideanRef {
    fn default() -> Self {
        Self { iterations: 50, steps: vec![2.0, 4.0, 8.0, 16.0, 32.0], lambdas: Vec::new() }
    }
}

impl Default for ObjectiveConfig {
    /// The counting of the paper's code.
    fn default() -> Self {
        Self {
            corpus: CorpusRef::default(),
            vocabularies: vec![VocabularyRef::default()],
            window: 2,
            dynamic_window: false,
            subsample: 0.0,
            negatives: 5,
            smoothing: 1.0,
            dims: vec![100],
            iterations: 25,
            step: 3.0,
            momentum: 0.5,
            euclidean: EuclideanRef::default(),
            sgd: SgdRef::default(),
        }
    }
}

impl ObjectiveConfig {
    pub(super) fn counting(&self, vocabulary: &VocabularyRef) -> Counting {
        Counting {
            min_count: vocabulary.min_count,
            top_n: vocabulary.top_n,
            window: self.window,
            dynamic_window: self.dynamic_window,
            subsample: self.subsample,
            unknown: vocabulary.unknown,
            negatives: self.negatives,
            smoothing: self.smoothing,
        }
    }

    /// The same words as word2vec would count them.
    pub(super) fn word2vec(&self, vocabulary: &VocabularyRef) -> Counting {
        let VocabularyRef { min_count, top_n, .. } = *vocabulary;
        Counting { min_count, top_n, ..Common::default().counting }
    }

    pub(super) fn frequency(&self) -> Solving {
        Solving {
            iterations: self.iterations,
            metric: Metric::Frequency,
            step: self.step,
            lambda: 0.0,
            momentum: self.momentum,
            direction: Direction::Splitting,
            line_search: true,
        }
    }

    /// The paper's update with each of its steps.
    pub(super) fn euclidean(&self) -> Vec<Solving> {
        let solving = |step, lambda| Solving {
            iterations: self.euclidean.iterations,
            metric: Metric::Euclidean,
            step,
            lambda,
            momentum: 0.0,
            line_search: false,
            ..self.frequency()
        };
        let steps = self.euclidean.steps.iter().map(|&step| solving(step, 0.0));
        steps.chain(self.euclidean.lambdas.iter().map(|&lambda| solving(1.0, lambda))).collect()
    }
}

impl Validate for ObjectiveConfig {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = self.corpus.problems();
        problems.extend(dims_problems("dims", &self.dims));
        if self.vocabularies.is_empty() {
            let message = "is empty; one is expected, such as { min_count = 50 }";
            problems.push(Problem::new("vocabularies", message));
        }
        for vocabulary in self.vocabularies.iter().take(1) {
            let counting = self.counting(vocabulary);
            problems.extend(counting.problems());
            problems.extend(self.sgd.problems(&counting));
        }
        problems.extend(self.frequency().problems());
        for (key, values) in [
            ("euclidean.steps", &self.euclidean.steps),
            ("euclidean.lambdas", &self.euclidean.lambdas),
        ] {
            for value in values.iter().filter(|value| !(**value > 0.0 && value.is_finite())) {
                problems.push(Problem::new(key, format!("{value} is not above 0")));
            }
        }
        problems
    }
}
