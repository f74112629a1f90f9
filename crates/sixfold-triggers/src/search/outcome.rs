//! What a search gives back.

use serde::{Deserialize, Serialize};

use super::ledger::Ledger;
use super::rate::Rate;
use super::state::{Best, Update};

/// A trigger: a few tokens.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Trigger {
    /// Token ids.
    pub ids: Vec<u32>,
    /// As text, where somebody decoded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl Trigger {
    /// A trigger whose text nobody asked for.
    pub fn new(ids: Vec<u32>) -> Self {
        Self { ids, text: None }
    }

    /// The same with its text.
    #[must_use]
    pub fn with_text(self, text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..self }
    }
}

/// Why a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// All updates are done.
    Updates,
    /// Too many updates went by without a better trigger.
    Patience,
    /// What is left of the budget does not cover another update.
    Budget,
}

/// What a search found.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchOutcome {
    /// The method, as it calls itself with its settings.
    pub scorer: String,
    /// The best trigger.
    pub trigger: Trigger,
    /// What it does to all examples.
    pub rate: Rate,
    /// The class of each example with it.
    pub classes: Vec<usize>,
    /// The best trigger as it was chosen, on the monitor's examples (the published code's search: on all).
    pub best: Best,
    /// All updates.
    pub history: Vec<Update>,
    /// All costs, the last evaluation included.
    pub ledger: Ledger,
    /// Why it ended.
    pub stop: Stop,
}
