//! The keys that the experiments share, and the config types that have them.

use sixfold_sgns::counting::Unknown;

use super::counting::{CorpusRef, Counting};
use super::method::{Direction, Method, Metric, PostRef, Solving};
use super::stochastic::SgdRef;
use crate::config::Problem;

/// What is wrong with ranks.
pub(super) fn dims_problems(key: &str, dims: &[usize]) -> Vec<Problem> {
    let mut problems = Vec::new();
    if dims.is_empty() {
        problems.push(Problem::new(key, "is empty; a dimension is expected, such as 100"));
    }
    for (index, dim) in dims.iter().enumerate() {
        if *dim == 0 {
            problems.push(Problem::new(key, "0 is no dimension"));
        }
        if dims[..index].contains(dim) {
            problems.push(Problem::new(key, format!("{dim} stands twice")));
        }
    }
    problems
}

/// What is wrong with a list of names.
pub(super) fn names_problems(key: &str, names: &[String], such_as: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    if names.is_empty() {
        problems.push(Problem::new(key, format!("is empty; {such_as} is expected")));
    }
    for (index, name) in names.iter().enumerate() {
        if names[..index].contains(name) {
            problems.push(Problem::new(key, format!("`{name}` stands twice")));
        }
    }
    problems
}

/// All keys that are shared.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Common {
    pub(super) corpus: CorpusRef,
    pub(super) counting: Counting,
    pub(super) solving: Solving,
    pub(super) post: PostRef,
    pub(super) sgd: SgdRef,
}

impl Default for Common {
    /// The options of word2vec, and the solver's own.
    fn default() -> Self {
        Self {
            corpus: CorpusRef::default(),
            counting: Counting {
                min_count: 5,
                top_n: 0,
                window: 5,
                dynamic_window: true,
                subsample: 1e-3,
                unknown: Unknown::Remove,
                negatives: 5,
                smoothing: 0.75,
            },
            solving: Solving {
                iterations: 15,
                metric: Metric::Frequency,
                step: 2.5,
                lambda: 0.0,
                momentum: 0.0,
                direction: Direction::Splitting,
                line_search: true,
            },
            post: PostRef::default(),
            sgd: SgdRef::default(),
        }
    }
}

impl Common {
    /// What is wrong with any of them, for these dimensions and methods.
    pub(super) fn problems(&self, dims: &[usize], methods: &[Method]) -> Vec<Problem> {
        let mut problems = self.corpus.problems();
        problems.extend(self.counting.problems());
        problems.extend(self.solving.problems());
        problems.extend(self.post.problems(dims));
        if methods.contains(&Method::Sgd) {
            problems.extend(self.sgd.problems(&self.counting));
        }
        problems
    }
}

/// A config with the shared keys at its root, and keys of its own behind them.
///
/// Flattening a struct would do the same, but its errors name no key.
macro_rules! sgns_config {
    (
        $(#[$about:meta])*
        $name:ident { $($(#[$doc:meta])* $field:ident: $type:ty = $default:expr,)* }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            /// The text.
            pub corpus: $crate::experiments::sgns::CorpusRef,
            /// Words that come less often are unknown.
            pub min_count: u64,
            /// Only so many words, the most frequent ones; 0 for all.
            pub top_n: usize,
            /// Contexts are so many words on either side.
            pub window: usize,
            /// Whether nearer contexts count more, as in word2vec.
            pub dynamic_window: bool,
            /// The share from which on frequent words count less; 0 for never.
            pub subsample: f64,
            /// What becomes of unknown words: `remove`, or `keep-position`.
            pub unknown: sixfold_sgns::counting::Unknown,
            /// Negative samples for each pair.
            pub negatives: usize,
            /// Exponent of the counts in the distribution of negatives.
            pub smoothing: f64,
            /// Iterations of the Riemannian optimisation.
            pub iterations: usize,
            /// Its metric.
            pub metric: $crate::experiments::sgns::Metric,
            /// Its step, relative to the largest curvature.
            pub step: f64,
            /// Its step λ as in the paper, in the place of `step`; 0 for none.
            pub lambda: f64,
            /// The share of the last change that the next one takes with it (heavy ball).
            pub momentum: f64,
            /// Its direction.
            pub direction: $crate::experiments::sgns::Direction,
            /// Whether a step that gains too little is halved.
            pub line_search: bool,
            /// How vectors are made of a factorisation.
            pub post: $crate::experiments::sgns::PostRef,
            /// The stochastic method.
            pub sgd: $crate::experiments::sgns::SgdRef,
            $($(#[$doc])* pub $field: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                let $crate::experiments::sgns::config::Common {
                    corpus, counting, solving, post, sgd,
                } = Default::default();
                Self {
                    corpus,
                    min_count: counting.min_count,
                    top_n: counting.top_n,
                    window: counting.window,
                    dynamic_window: counting.dynamic_window,
                    subsample: counting.subsample,
                    unknown: counting.unknown,
                    negatives: counting.negatives,
                    smoothing: counting.smoothing,
                    iterations: solving.iterations,
                    metric: solving.metric,
                    step: solving.step,
                    lambda: solving.lambda,
                    momentum: solving.momentum,
                    direction: solving.direction,
                    line_search: solving.line_search,
                    post,
                    sgd,
                    $($field: $default,)*
                }
            }
        }

        impl $name {
            /// The shared keys.
            pub(super) fn common(&self) -> $crate::experiments::sgns::config::Common {
                $crate::experiments::sgns::config::Common {
                    corpus: self.corpus.clone(),
                    counting: $crate::experiments::sgns::counting::Counting {
                        min_count: self.min_count,
                        top_n: self.top_n,
                        window: self.window,
                        dynamic_window: self.dynamic_window,
                        subsample: self.subsample,
                        unknown: self.unknown,
                        negatives: self.negatives,
                        smoothing: self.smoothing,
                    },
                    solving: $crate::experiments::sgns::method::Solving {
                        iterations: self.iterations,
                        metric: self.metric,
                        step: self.step,
                        lambda: self.lambda,
                        momentum: self.momentum,
                        direction: self.direction,
                        line_search: self.line_search,
                    },
                    post: self.post.clone(),
                    sgd: self.sgd.clone(),
                }
            }
        }
    };
}
pub(super) use sgns_config;
