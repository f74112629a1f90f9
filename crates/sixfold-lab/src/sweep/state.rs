//! What became of a cell, read from its directory alone.

use std::fs;
use std::path::Path;

use anyhow::{Result, anyhow};

use super::plan::{Cell, Sweep};
use super::sheet::Launcher;
use crate::error::config;
use crate::record::Results;
use crate::rundir::RunDir;
use crate::runner::finished;

/// What became of a cell.
#[derive(Debug)]
pub(crate) enum State {
    /// All its numbers are there.
    Complete(Box<Results>),
    /// It began, and is not complete: its status, and why.
    Partial(String, String),
    /// There is no run directory: why, as far as its log tells.
    Absent(String),
}

impl State {
    /// One word for it.
    pub(crate) fn word(&self) -> &str {
        match self {
            Self::Complete(_) => "complete",
            Self::Partial(status, _) => status,
            Self::Absent(reason) if reason.is_empty() => "waiting",
            Self::Absent(_) => "failed",
        }
    }

    /// Why it is not complete; empty where nothing is known.
    pub(crate) fn reason(&self) -> &str {
        match self {
            Self::Complete(_) => "",
            Self::Partial(_, reason) | Self::Absent(reason) => reason,
        }
    }

    /// The numbers of a complete cell.
    pub(crate) fn results(&self) -> Option<&Results> {
        match self {
            Self::Complete(results) => Some(results),
            _ => None,
        }
    }
}

impl Sweep<'_> {
    /// What became of `cell`.
    pub(crate) fn state(&self, cell: &Cell) -> State {
        let path = self.dir(cell);
        let Ok(dir) = RunDir::open(&path) else { return State::Absent(self.complaint(cell)) };
        let Ok(status) = dir.status() else { return State::Absent(self.complaint(cell)) };
        if self.is_complete(cell)
            && let Ok(results) = dir.read_json("results.json")
        {
            return State::Complete(Box::new(results));
        }
        // On another machine nobody can tell whether the process is still there.
        let gone = self.sheet.launcher == Launcher::Local && !status.is_alive();
        let word = match (status.status.as_str(), gone) {
            ("running", true) => "killed",
            // Complete, but not of this config or not with all seeds.
            ("complete", _) => "stale",
            (word, _) => word,
        };
        State::Partial(word.to_owned(), status.reason.unwrap_or_default())
    }

    /// The last complaint in the log of `cell`; empty where there is none.
    pub(crate) fn complaint(&self, cell: &Cell) -> String {
        let slurm = super::slurm::log(&self.path, cell.row.index);
        let logs = [self.dir(cell).join("run.log"), cell.row.log_beside(&self.path), slurm];
        logs.iter().find_map(|log| complaint(log)).unwrap_or_default()
    }

    /// Whether all cells are complete now.
    ///
    /// # Errors
    /// Cells that are not.
    pub(crate) fn verdict(&self) -> Result<()> {
        let failed = self.cells.iter().filter(|cell| !self.is_complete(cell)).count();
        match failed {
            0 => Ok(()),
            _ => Err(anyhow!("{failed} of {} cells did not finish", self.cells.len())),
        }
    }

    /// Whether the run of `cell` is complete, with this config on one of the devices.
    pub(crate) fn is_complete(&self, cell: &Cell) -> bool {
        let dir = self.dir(cell);
        self.hashes(cell).any(|hash| finished(self.experiment, &dir, &hash, &self.sheet.seeds))
    }

    /// The device on which the run of `cell` was begun.
    ///
    /// # Errors
    /// Exit code 2 for a run of a config or a device that is none of the sweep's.
    pub(crate) fn begun_on(&self, cell: &Cell) -> Result<Option<&str>> {
        let path = self.dir(cell);
        let Ok(status) = RunDir::open(&path).and_then(|dir| dir.status()) else { return Ok(None) };
        let found = self.hashes(cell).position(|hash| hash == status.config_hash);
        match found {
            Some(index) => Ok(Some(&self.sheet.devices[index])),
            None => Err(config(format!(
                "--resume: {} is a run of another config or device",
                path.display()
            ))),
        }
    }

    /// The hash of the cell's config on each device.
    fn hashes(&self, cell: &Cell) -> impl Iterator<Item = String> {
        self.sheet.devices.iter().map(|device| cell.resolved.hash(device))
    }
}

/// The last complaint in a log.
fn complaint(log: &Path) -> Option<String> {
    let text = fs::read(log).ok()?;
    let text = String::from_utf8_lossy(&text);
    let found = text.lines().rev().find_map(|line| line.strip_prefix("error: "))?;
    Some(found.to_owned())
}
