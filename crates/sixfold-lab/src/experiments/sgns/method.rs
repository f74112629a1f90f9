//! How word vectors are made: methods, the Riemannian one's options, what becomes of a factorisation.

use serde::{Deserialize, Serialize};
use sixfold_sgns::{SolverConfig, StepSize, VectorsConfig};

use crate::config::Problem;

/// Where word vectors come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Riemannian optimisation of the objective.
    #[default]
    Riemannian,
    /// The truncated SVD of the shifted positive PMI matrix.
    Svd,
    /// Stochastic gradients, as word2vec.
    Sgd,
}

impl Method {
    /// The name in configs and records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Riemannian => "riemannian",
            Self::Svd => "svd",
            Self::Sgd => "sgd",
        }
    }
}

/// The inner product in which a step is steepest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// Frequent and rare words come forward at the same rate.
    #[default]
    Frequency,
    /// That of the matrix itself, as in the paper.
    Euclidean,
}

impl From<Metric> for sixfold_sgns::Metric {
    fn from(metric: Metric) -> Self {
        match metric {
            Metric::Frequency => Self::Frequency,
            Metric::Euclidean => Self::Euclidean,
        }
    }
}

/// Which direction a step takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// The paper's two QR decompositions.
    #[default]
    Splitting,
    /// The Riemannian gradient.
    Gradient,
    /// Conjugate directions.
    ConjugateGradient,
}

impl From<Direction> for sixfold_sgns::Direction {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Splitting => Self::Splitting,
            Direction::Gradient => Self::Gradient,
            Direction::ConjugateGradient => Self::ConjugateGradient,
        }
    }
}

/// How vectors are made of what a method leaves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PostRef {
    /// The power of the singular values.
    pub power: f64,
    /// Leading components that are left out.
    pub drop_leading: usize,
    /// Words plus contexts.
    pub add_contexts: bool,
}

impl Default for PostRef {
    fn default() -> Self {
        let VectorsConfig { power, drop_leading, add_contexts, .. } = VectorsConfig::default();
        Self { power, drop_leading, add_contexts }
    }
}

impl PostRef {
    pub(super) fn config(&self) -> VectorsConfig {
        VectorsConfig {
            power: self.power,
            drop_leading: self.drop_leading,
            add_contexts: self.add_contexts,
            normalise: true,
        }
    }

    /// What is wrong with it for these dimensions.
    pub(super) fn problems(&self, dims: &[usize]) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !self.power.is_finite() {
            problems.push(Problem::new("post.power", "is not finite"));
        }
        if let Some(dim) = dims.iter().min().filter(|&&dim| self.drop_leading >= dim.max(1)) {
            let message = format!("{} leaves none of {dim} components", self.drop_leading);
            problems.push(Problem::new("post.drop_leading", message));
        }
        problems
    }
}

/// How the Riemannian optimisation goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Solving {
    pub(super) iterations: usize,
    pub(super) metric: Metric,
    pub(super) step: f64,
    pub(super) lambda: f64,
    pub(super) momentum: f64,
    pub(super) direction: Direction,
    pub(super) line_search: bool,
}

impl Solving {
    pub(super) fn config(&self) -> SolverConfig {
        SolverConfig {
            iterations: self.iterations,
            metric: self.metric.into(),
            step: match self.lambda {
                0.0 => StepSize::Relative(self.step),
                lambda => StepSize::Absolute(lambda),
            },
            momentum: self.momentum,
            direction: self.direction.into(),
            line_search: self.line_search,
            tolerance: 0.0,
        }
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        let step = if self.lambda == 0.0 { "step" } else { "lambda" };
        let key = |problem: &str| if problem.starts_with("momentum") { "momentum" } else { step };
        match self.config().validate() {
            Err(sixfold_sgns::Error::Hyperparameters { problems }) => {
                problems.into_iter().map(|problem| Problem::new(key(&problem), problem)).collect()
            }
            _ => Vec::new(),
        }
    }
}
