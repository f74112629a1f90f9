//! The state of a table as plain arrays, for checkpoints.

use crate::adam::config::SparseAdamConfig;
use crate::adam::table::EntryTable;
use crate::{Error, Result};

/// All that an [`EntryTable`] knows; training goes on from it to the last bit.
///
/// A field that the options do not need is empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EntryTableParts {
    /// The entries, ascending, `[n]`.
    pub indices: Vec<u32>,
    /// First moments m, `[n]`.
    pub first: Vec<f32>,
    /// Second moments v, `[n]` or empty.
    pub second: Vec<f32>,
    /// Touches, or the step before the first one, `[n]` or empty.
    pub counts: Vec<u32>,
    /// Steps of the last touch, `[n]` or empty.
    pub ages: Vec<u32>,
}

impl EntryTable {
    /// The state, to be stored.
    pub fn to_parts(&self) -> EntryTableParts {
        EntryTableParts {
            indices: self.indices.clone(),
            first: self.first.clone(),
            second: self.second.clone(),
            counts: self.counts.clone(),
            ages: self.ages.clone(),
        }
    }

    /// Goes on from a state that was stored, with the options and `k` it had.
    ///
    /// # Errors
    /// Those of [`SparseAdamConfig::validate`]; [`Error::Shape`] for arrays of other lengths than the options
    /// ask for; [`Error::Config`] for indices that do not ascend; [`Error::NotFinite`] for a moment that is
    /// not; [`Error::TooMany`] for more entries than the cap.
    pub fn from_parts(config: SparseAdamConfig, k: usize, parts: EntryTableParts) -> Result<Self> {
        let mut table = Self::new(config, k)?;
        let n = parts.indices.len();
        let config = &table.config;
        for (what, found, kept) in [
            ("first moments", parts.first.len(), true),
            ("second moments", parts.second.len(), config.squares()),
            ("counts", parts.counts.len(), config.counts()),
            ("ages", parts.ages.len(), config.ages()),
        ] {
            let expected = if kept { n } else { 0 };
            if found != expected {
                let (expected, found) = (vec![expected], vec![found]);
                return Err(Error::Shape { path: String::new(), what, expected, found });
            }
        }
        if let Some(pair) = parts.indices.windows(2).find(|pair| pair[0] >= pair[1]) {
            let what = format!("entry {} stands before entry {}", pair[0], pair[1]);
            return Err(Error::Config { problems: vec![what] });
        }
        for (what, moments) in [("first moment", &parts.first), ("second moment", &parts.second)] {
            if let Some(i) = moments.iter().position(|x| !x.is_finite()) {
                let (path, index) = (String::new(), parts.indices[i] as usize);
                return Err(Error::NotFinite { path, what, index });
            }
        }
        if n > table.cap {
            return Err(Error::TooMany { k: n, size: table.cap });
        }
        let EntryTableParts { indices, first, second, counts, ages } = parts;
        (table.indices, table.first, table.second) = (indices, first, second);
        (table.counts, table.ages) = (counts, ages);
        Ok(table)
    }
}
