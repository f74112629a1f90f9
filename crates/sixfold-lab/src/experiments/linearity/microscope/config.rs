//! The config of `linearity/microscope`.

use serde::{Deserialize, Serialize};

use super::super::replace::ModelConfig;
use crate::config::{Problem, Validate};
use crate::data::Input;
use crate::experiments::profile::TextConfig;

/// Which model, the text that the maps are fitted on, and the text that is looked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MicroscopeConfig {
    /// The model.
    pub model: ModelConfig,
    /// The text on which the affine map of each block is fitted. Its last document is left out,
    /// and looked at where `show.text` is empty.
    pub text: TextConfig,
    /// What is looked at.
    pub show: ShowConfig,
}

/// The tokens that are drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ShowConfig {
    /// A text of one's own; empty for the last document of `text`.
    pub text: String,
    /// Tokens of it, at most, from the first on.
    pub tokens: usize,
}

impl Default for ShowConfig {
    fn default() -> Self {
        Self { text: String::new(), tokens: 64 }
    }
}

impl MicroscopeConfig {
    /// The files that have to be there.
    pub(super) fn inputs(&self) -> Vec<Input> {
        vec![self.model.input(), self.text.input("text")]
    }
}

impl Validate for MicroscopeConfig {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = self.model.problems();
        problems.extend(self.text.problems("text"));
        if !(2..=512).contains(&self.show.tokens) {
            let message = "is not between 2 and 512, which can be drawn";
            problems.push(Problem::new("show.tokens", message));
        }
        problems
    }
}
