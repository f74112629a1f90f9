//! The config of `geometry/profile`.

use serde::{Deserialize, Serialize};

use super::super::{Control, Estimator};
use crate::config::{Problem, Validate};
use crate::data::Input;
use crate::experiments::profile::{Filter, ModelRef, ProfileConfig, TextConfig};

/// Which models, which text, which tokens, which controls and estimators.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GeometryConfig {
    /// Model directories.
    pub models: Vec<ModelRef>,
    /// The text that the models read.
    pub text: TextConfig,
    /// Which tokens count; sentences are about the first.
    pub filters: Vec<Filter>,
    /// What the models are compared with.
    pub controls: Vec<Control>,
    /// Tokens among which neighbours are looked for, at most, under each filter.
    pub sample: usize,
    /// Estimators of the dimension. The first is used under every filter, all under the first.
    pub estimators: Vec<Estimator>,
}

impl Default for GeometryConfig {
    fn default() -> Self {
        let ProfileConfig { models, text, filters, .. } = ProfileConfig::default();
        Self {
            models,
            text,
            filters,
            controls: vec![Control::Untrained, Control::Shuffled, Control::Gaussian],
            sample: 4096,
            estimators: Estimator::PROFILE.to_vec(),
        }
    }
}

impl GeometryConfig {
    /// What it shares with the other profile.
    fn shared(&self) -> ProfileConfig {
        ProfileConfig {
            models: self.models.clone(),
            text: self.text.clone(),
            filters: self.filters.clone(),
            ..ProfileConfig::default()
        }
    }

    /// The files that have to be there.
    pub fn inputs(&self) -> Vec<Input> {
        self.shared().inputs()
    }
}

impl Validate for GeometryConfig {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = self.shared().problems();
        for (index, control) in self.controls.iter().enumerate() {
            let name = control.name();
            if *control == Control::None {
                let message = "`none` is always measured; leave it out".to_owned();
                problems.push(Problem::new("controls", message));
            } else if self.controls[..index].contains(control) {
                problems.push(Problem::new("controls", format!("`{name}` stands twice")));
            }
        }
        problems.extend(probe_problems(self.sample, &self.estimators));
        problems
    }
}

/// What is wrong with a sample and a list of estimators.
pub(in crate::experiments::geometry) fn probe_problems(
    sample: usize,
    estimators: &[Estimator],
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let needed = estimators.iter().map(|estimator| estimator.neighbours()).max().unwrap_or(2);
    let least = (4 * needed).max(128);
    if sample < least {
        let message = format!("{sample} is too few; these estimators need at least {least}");
        problems.push(Problem::new("sample", message));
    }
    if estimators.is_empty() {
        problems.push(Problem::new("estimators", "is empty; `two-nn` is the plainest"));
    }
    for (index, estimator) in estimators.iter().enumerate() {
        if estimators[..index].contains(estimator) {
            let message = format!("`{}` stands twice", estimator.name());
            problems.push(Problem::new("estimators", message));
        }
    }
    problems
}
