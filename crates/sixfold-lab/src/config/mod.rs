//! Configs in layers: defaults, experiment file, preset, command line.
//!
//! Every value remembers where it came from, so that `show` can print it and an error can name
//! file, line and key.

mod layers;
mod overrides;
mod resolve;
mod suggest;

pub use layers::{ExperimentFile, Origin, PRESETS, Preset};
pub use overrides::Override;
pub use resolve::{Problem, Resolved, Validate};
pub(crate) use resolve::{check, resolve};
pub use suggest::nearest;

use serde::{Deserialize, Serialize};

/// What an experiment file says about itself, in its `[about]` table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct About {
    /// The question, as one sentence.
    pub question: String,
    /// The paper, and the table or figure that this answers.
    pub answers: String,
    /// Hardware of the presets.
    pub hardware: String,
    /// How long the presets take.
    pub time: String,
}
