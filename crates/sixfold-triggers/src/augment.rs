//! Training rows with a trigger in them, and their own label.

use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::streams::{AUGMENT, generator};
use crate::{Error, Example, Field, Placement, Result};

/// Which rows get a trigger.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct AugmentConfig {
    /// Rows added for every row there is, above 0 and at most 1; 0.5 by default.
    pub share: f64,
    /// The text that takes the trigger.
    pub field: Field,
    /// Where in it.
    pub placement: Placement,
    /// The longest sequence of the model, if there is one: rows that a trigger would make longer
    /// are not picked.
    pub max_tokens: Option<usize>,
    /// The seed of the choice.
    pub seed: u64,
}

impl Default for AugmentConfig {
    fn default() -> Self {
        Self {
            share: 0.5,
            field: Field::First,
            placement: Placement::Front,
            max_tokens: None,
            seed: 0,
        }
    }
}

impl AugmentConfig {
    /// Checks all values.
    ///
    /// # Errors
    /// [`Error::Config`] with all that are outside their ranges.
    pub fn validate(&self) -> Result<()> {
        if self.share > 0.0 && self.share <= 1.0 {
            return Ok(());
        }
        let problem = format!("share is {}, expected above 0 and at most 1", self.share);
        Err(Error::Config { problems: vec![problem] })
    }
}

/// A row to add to the training data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Augmented {
    /// The example with the trigger in it.
    pub example: Example,
    /// The label of the example without it.
    pub label: usize,
    /// The row it comes from.
    pub row: usize,
    /// The trigger, as an index.
    pub trigger: usize,
}

/// Rows with a trigger inserted, to be trained on beside those there are, so that a model
/// learns to answer as if the trigger were not there.
///
/// ⌊share·n + ½⌋ of the n rows are picked without replacement, at least one; each takes one of
/// the triggers, every one as likely. The rows come in their order.
///
/// # Errors
/// [`Error::Config`], [`Error::Empty`] for no rows, no triggers or an empty trigger,
/// [`Error::Mismatch`] where labels are not as many as rows or a row has no such field,
/// [`Error::TooLong`] with the shortest row where `max_tokens` leaves room in none.
///
/// ```
/// use sixfold_triggers::{AugmentConfig, Example, Sequence, augment};
/// let row = |id| Example::new(Sequence { ids: vec![id, 4], token_types: vec![0, 0] }, vec![0..2]);
/// let config = AugmentConfig { share: 0.5, ..Default::default() };
/// let added = augment(&[row(1)?, row(2)?], &[0, 1], &[vec![8, 9]], &config)?;
/// assert_eq!(added.len(), 1);
/// assert_eq!(added[0].example.clean().ids[..2], [8, 9]);
/// assert_eq!(added[0].label, added[0].row);
/// # Ok::<(), sixfold_triggers::Error>(())
/// ```
pub fn augment(
    examples: &[Example],
    labels: &[usize],
    triggers: &[Vec<u32>],
    config: &AugmentConfig,
) -> Result<Vec<Augmented>> {
    config.validate()?;
    if labels.len() != examples.len() {
        return Err(Error::Mismatch {
            what: "the labels",
            expected: format!("{} of them", examples.len()),
            found: labels.len().to_string(),
        });
    }
    let length = |example: &Example| example.clean().ids.len();
    let Some((shortest, tokens)) =
        examples.iter().map(length).enumerate().min_by_key(|(_, tokens)| *tokens)
    else {
        return Err(Error::Empty { what: "rows to augment" });
    };
    let Some(trigger) = triggers.iter().map(Vec::len).max() else {
        return Err(Error::Empty { what: "triggers to augment with" });
    };
    if triggers.iter().any(Vec::is_empty) {
        return Err(Error::Empty { what: "token in a trigger" });
    }
    // By the longest trigger, so that which rows are picked does not depend on what they take.
    let fits = |tokens: usize| config.max_tokens.is_none_or(|limit| tokens + trigger <= limit);
    let mut rows: Vec<usize> =
        (0..examples.len()).filter(|&i| fits(length(&examples[i]))).collect();
    if rows.is_empty() {
        let limit = config.max_tokens.unwrap_or(0);
        return Err(Error::TooLong { example: shortest, tokens, trigger, limit });
    }
    let wanted = (config.share * examples.len() as f64 + 0.5).floor() as usize;
    let wanted = wanted.clamp(1, rows.len());
    let mut rng = generator(config.seed, AUGMENT);
    for i in 0..wanted {
        let other = rng.random_range(i..rows.len());
        rows.swap(i, other);
    }
    rows.truncate(wanted);
    rows.sort_unstable();
    let add = |row: usize| {
        let trigger = rng.random_range(0..triggers.len());
        let example =
            examples[row].triggered(&triggers[trigger], config.field, config.placement)?;
        Ok(Augmented { example, label: labels[row], row, trigger })
    };
    rows.into_iter().map(add).collect()
}
