//! The config of `linearity/microscope`.

use serde::{Deserialize, Serialize};

use super::super::replace::ModelConfig;
use crate::config::{Problem, Validate};
use crate::data::{Input, InputKind};
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
        let text = Input {
            column: self.text.column.clone(),
            ..Input::new(InputKind::Text, "text.path", &self.text.path)
        };
        vec![Input::new(InputKind::Model, "model.dir", &self.model.dir), text]
    }
}

impl Validate for MicroscopeConfig {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut require = |holds: bool, key: &str, message: &str| {
            if !holds {
                problems.push(Problem::new(key, message.to_owned()));
            }
        };
        require(!self.model.dir.is_empty(), "model.dir", "is empty; a directory is expected");
        require(!self.text.path.is_empty(), "text.path", "is empty; a text file is expected");
        require(
            self.text.max_tokens >= 16,
            "text.max_tokens",
            "is too few; at least 16 are expected",
        );
        let drawn = (2..=512).contains(&self.show.tokens);
        require(drawn, "show.tokens", "is not between 2 and 512, which can be drawn");
        problems
    }
}
