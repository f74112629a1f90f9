//! Options of the vote.

use serde::{Deserialize, Serialize};

use crate::{Error, Field, Placement, Result};

/// From which end of a text tokens are deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The first tokens, against prefixes.
    #[default]
    Front,
    /// The last tokens, against suffixes.
    End,
}

impl Side {
    /// The placement of triggers that this side defends against.
    pub fn placement(self) -> Placement {
        match self {
            Self::Front => Placement::Front,
            Self::End => Placement::End,
        }
    }
}

/// How [`EraseVote`](super::EraseVote) votes.
///
/// ```
/// use sixfold_triggers::EraseVoteConfig;
/// let config: EraseVoteConfig = EraseVoteConfig { length: 2, ..Default::default() };
/// assert_eq!(config.votes(), 5);
/// assert!(EraseVoteConfig { length: 0, ..config }.validate().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct EraseVoteConfig {
    /// The text that is defended.
    pub field: Field,
    /// The end of it that is defended.
    pub side: Side,
    /// L, the longest trigger that is defended against; 3 by default.
    pub length: usize,
}

impl Default for EraseVoteConfig {
    fn default() -> Self {
        Self { field: Field::First, side: Side::Front, length: 3 }
    }
}

impl EraseVoteConfig {
    /// Votes for one answer, 2·L + 1.
    pub fn votes(&self) -> usize {
        2 * self.length + 1
    }

    /// Checks all values.
    ///
    /// # Errors
    /// [`Error::Config`] with all that are outside their ranges.
    pub fn validate(&self) -> Result<()> {
        let fits = (1..=64).contains(&self.length);
        let problem = || format!("length is {}, expected 1 to 64", self.length);
        if fits { Ok(()) } else { Err(Error::Config { problems: vec![problem()] }) }
    }
}
