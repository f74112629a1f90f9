//! Settings of a filter.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Which tokens may be tried. Special tokens never may.
///
/// The defaults are the paper's: pieces of words, proper nouns, digits and class words are kept, so that about 18 % of
/// the triggers cannot be typed as text. `words = "whole"` leaves those that can, and `association` those that do not
/// belong to a class anyway.
///
/// # References
/// Layerwise universal adversarial attack (ACL Findings 2023), the token filter of the published code; AutoPrompt for
/// label words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct FilterConfig {
    /// Whether only tokens of ASCII letters, digits and `_` remain, as in the published code: yes.
    pub paper: bool,
    /// Which tokens of words.
    pub words: Words,
    /// Whether only tokens remain that come back when they are decoded and encoded again.
    pub round_trip: bool,
    /// Names of classes; tokens that are a word of one, in any case, are removed.
    pub labels: Vec<String>,
    /// Words or tokens that alone remain; all where empty.
    pub only: Vec<String>,
    /// Words or tokens that are removed.
    pub exclude: Vec<String>,
    /// Whether tokens that go with a class in the user's own texts are removed, and how.
    pub association: Option<AssociationConfig>,
}

/// Which tokens of words remain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Words {
    /// All.
    #[default]
    Any,
    /// Those with which a word begins.
    Begin,
    /// Those with which a word begins and that are nothing but lower-case ASCII letters and digits.
    Whole,
}

/// Tokens of these texts that tell classes apart: without them a trigger is not just the vocabulary of a class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct AssociationConfig {
    /// A token is removed if the magnitude of its log-odds is above this: 0.5.
    pub threshold: f64,
    /// … or if the texts have it less often: 20.
    pub min_count: u64,
    /// What is added to each count: 1.
    pub smoothing: f64,
}

impl Default for FilterConfig {
    fn default() -> Self {
        Self {
            paper: true,
            words: Words::Any,
            round_trip: false,
            labels: Vec::new(),
            only: Vec::new(),
            exclude: Vec::new(),
            association: None,
        }
    }
}

impl Default for AssociationConfig {
    fn default() -> Self {
        Self { threshold: 0.5, min_count: 20, smoothing: 1.0 }
    }
}

impl FilterConfig {
    /// Whether the settings make sense.
    ///
    /// # Errors
    /// [`Error::Config`] with all problems.
    pub fn validate(&self) -> Result<()> {
        let mut problems = Vec::new();
        let lists = [("labels", &self.labels), ("only", &self.only), ("exclude", &self.exclude)];
        for (key, list) in lists {
            if list.iter().any(String::is_empty) {
                problems.push(format!("{key} has an empty word"));
            }
        }
        if let Some(AssociationConfig { threshold, smoothing, .. }) = self.association {
            let values =
                [("association.threshold", threshold), ("association.smoothing", smoothing)];
            for (key, value) in values {
                if !(value.is_finite() && value > 0.0) {
                    problems.push(format!("{key} is {value}, expected a number above 0"));
                }
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(Error::Config { problems }) }
    }
}
