//! A search that can be put aside and taken up again.

use std::path::Path;

use serde::{Deserialize, Serialize};
use sixfold_linalg::files::write_atomically;

use super::ledger::Ledger;
use super::rate::Rate;
use super::verify::{Cache, Cached};
use crate::{Error, Result};

/// The layout of the file.
const VERSION: u32 = 1;

/// One update of a search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Update {
    /// Its number, from 0.
    pub update: usize,
    /// The trigger after it.
    pub trigger: Vec<u32>,
    /// The tokens that were tried at each place, best score first.
    pub candidates: Vec<Vec<u32>>,
    /// The best trigger after each place.
    pub path: Vec<Vec<u32>>,
    /// What the trigger before does to this batch, where it was tried.
    pub incumbent: Option<Rate>,
    /// What the trigger does to it; `None` for one that the published code's search carried along untried.
    pub batch: Option<Rate>,
    /// What the trigger does to the examples on which the best is chosen, where it was compared there.
    pub watched: Option<Rate>,
    /// Whether it is the best so far.
    pub improved: bool,
    /// All costs up to here.
    pub ledger: Ledger,
}

/// The best trigger so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Best {
    /// The trigger.
    pub trigger: Vec<u32>,
    /// What it does to the examples on which the best is chosen.
    pub rate: Rate,
}

/// What a state belongs to, as SHA-256 digests in hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Fingerprint {
    /// Of the settings, without the number of updates and the budget: a search may go on for longer.
    pub config: String,
    /// Of the examples, the places of the trigger and the clean classes.
    pub data: String,
    /// Of the tokens that may be tried.
    pub allowed: String,
}

/// Where a search is: everything that the next update needs, nothing that only this process has.
///
/// Taken up again from a file, a search goes on to the very bits of one that was not interrupted.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchState {
    pub(super) fingerprint: Fingerprint,
    pub(super) scorer: Option<String>,
    pub(super) started: bool,
    pub(super) updates: usize,
    pub(super) trigger: Vec<u32>,
    pub(super) best: Option<Best>,
    pub(super) stale: usize,
    pub(super) ledger: Ledger,
    pub(super) history: Vec<Update>,
    pub(super) cache: Cache,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    version: u32,
    fingerprint: Fingerprint,
    scorer: Option<String>,
    started: bool,
    updates: usize,
    trigger: Vec<u32>,
    best: Option<Best>,
    stale: usize,
    ledger: Ledger,
    history: Vec<Update>,
    cache: Vec<Cached>,
}

impl SearchState {
    /// Updates done.
    pub fn updates(&self) -> usize {
        self.updates
    }

    /// The present trigger.
    pub fn trigger(&self) -> &[u32] {
        &self.trigger
    }

    /// The best trigger so far; `None` before the first one is compared.
    pub fn best(&self) -> Option<&Best> {
        self.best.as_ref()
    }

    /// All costs so far.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// All updates so far.
    pub fn history(&self) -> &[Update] {
        &self.history
    }

    /// Writes the state as JSON, under a temporary name that is then renamed.
    ///
    /// # Errors
    /// [`Error::Io`] naming the file.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let state = self.clone();
        let file = File {
            version: VERSION,
            fingerprint: state.fingerprint,
            scorer: state.scorer,
            started: state.started,
            updates: state.updates,
            trigger: state.trigger,
            best: state.best,
            stale: state.stale,
            ledger: state.ledger,
            history: state.history,
            cache: state.cache.to_list(),
        };
        write_atomically(path, |out| {
            serde_json::to_writer(out, &file).map_err(std::io::Error::from)
        })?;
        Ok(())
    }

    /// Reads a state. Whether it belongs to a search is seen when that goes on with it.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Malformed`] naming the file.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(Error::io(path))?;
        let file: File = serde_json::from_slice(&bytes)
            .map_err(|error| Error::malformed(path, error.to_string()))?;
        if file.version != VERSION {
            let what = format!("version {} of a search, expected {VERSION}", file.version);
            return Err(Error::malformed(path, what));
        }
        Ok(Self {
            fingerprint: file.fingerprint,
            scorer: file.scorer,
            started: file.started,
            updates: file.updates,
            trigger: file.trigger,
            best: file.best,
            stale: file.stale,
            ledger: file.ledger,
            history: file.history,
            cache: Cache::from_list(file.cache),
        })
    }
}
