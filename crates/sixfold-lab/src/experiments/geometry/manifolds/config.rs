//! The config of `geometry/manifolds`.

use serde::{Deserialize, Serialize};

use super::super::Estimator;
use super::super::profile::probe_problems;
use crate::config::{Problem, Validate};

/// How many points, how often, which estimators.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ManifoldsConfig {
    /// Points of a cloud.
    pub n: usize,
    /// Clouds of each manifold.
    pub repeats: usize,
    /// The estimators.
    pub estimators: Vec<Estimator>,
}

impl Default for ManifoldsConfig {
    fn default() -> Self {
        Self { n: 2000, repeats: 10, estimators: Estimator::ALL.to_vec() }
    }
}

impl ManifoldsConfig {
    /// Neighbours that the hungriest estimator needs.
    pub(super) fn neighbours(&self) -> usize {
        self.estimators.iter().map(|estimator| estimator.neighbours()).max().unwrap_or(2)
    }
}

impl Validate for ManifoldsConfig {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = probe_problems(self.n, &self.estimators);
        for problem in problems.iter_mut().filter(|problem| problem.key == "sample") {
            "n".clone_into(&mut problem.key);
        }
        if self.repeats == 0 {
            problems.push(Problem::new("repeats", "is 0; at least one cloud is expected"));
        }
        problems
    }
}
