//! `sweep.json` and `sweep.jsonl`: what a sweep was asked for, and its cells.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::atomic::{atomic_write, create_dir};
use crate::config::Preset;
use crate::error::{config, doing, missing};
use crate::rundir::RunDir;

const SHEET: &str = "sweep.json";
const ROWS: &str = "sweep.jsonl";
/// What a sweep writes beside its cells.
const FILES: [&str; 5] = [SHEET, ROWS, "sweep.sbatch", "index.html", "index.md"];

/// Who runs the cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Launcher {
    /// Processes of this machine.
    #[default]
    Local,
    /// Tasks of one array job.
    Slurm,
}

/// The content of `sweep.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Sheet {
    /// Version of this layout: 1.
    pub(crate) schema: u32,
    /// `crate/name`.
    pub(crate) experiment: String,
    /// Size of the runs.
    pub(crate) preset: String,
    /// The `key=a,b` arguments as they were given.
    pub(crate) arguments: Vec<String>,
    /// Devices that cells may have run on.
    pub(crate) devices: Vec<String>,
    /// Root seeds of every cell.
    pub(crate) seeds: Vec<u64>,
    /// The directory of `--data`.
    pub(crate) data: Option<PathBuf>,
    /// Whether the network may be used.
    pub(crate) online: bool,
    /// Who runs the cells.
    pub(crate) launcher: Launcher,
    /// SHA-256 of the configs of all cells and the seeds, whatever the devices.
    pub(crate) hash: String,
    /// When the sweep began, UTC.
    pub(crate) started: String,
    /// The array job of Slurm.
    pub(crate) job: Option<String>,
}

/// A line of `sweep.jsonl`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    /// Position in the grid, from 0; the task of an array job.
    pub(crate) index: usize,
    /// Its `key=value` arguments.
    pub(crate) overrides: Vec<String>,
    /// Its run directory within the sweep's.
    pub(crate) directory: String,
    /// Hash of its config on the first device.
    pub(crate) config_hash: String,
}

impl Sheet {
    /// Reads `sweep.json` below `dir`.
    ///
    /// # Errors
    /// Exit code 3 where there is none, 2 for one of another version.
    pub(crate) fn read(dir: &Path) -> Result<Self> {
        let path = dir.join(SHEET);
        if !path.is_file() {
            return Err(missing(format!("{} is no sweep: no {SHEET}", dir.display())));
        }
        let text = fs::read_to_string(&path).with_context(|| doing("read", &path))?;
        let sheet: Self =
            serde_json::from_str(&text).with_context(|| doing("understand", &path))?;
        if sheet.schema != 1 {
            let (shown, schema) = (path.display(), sheet.schema);
            return Err(config(format!(
                "{shown}: schema {schema} is not known to this version, which reads 1"
            )));
        }
        Ok(sheet)
    }

    /// Writes it below `dir`.
    ///
    /// # Errors
    /// Any failure of the file system, naming the file.
    pub(crate) fn write(&self, dir: &Path) -> Result<()> {
        atomic_write(&dir.join(SHEET), format!("{}\n", serde_json::to_string_pretty(self)?))
    }

    /// The preset, which was written by name.
    ///
    /// # Errors
    /// Exit code 2 for a name that is none.
    pub(crate) fn preset(&self) -> Result<Preset> {
        Preset::from_str(&self.preset, true)
            .map_err(|_| config(format!("{SHEET}: unknown preset `{}`", self.preset)))
    }
}

impl Row {
    /// All rows below `dir`.
    ///
    /// # Errors
    /// A file that cannot be read or understood, naming it.
    pub(crate) fn read_all(dir: &Path) -> Result<Vec<Self>> {
        let path = dir.join(ROWS);
        let text = fs::read_to_string(&path).with_context(|| doing("read", &path))?;
        let rows = text.lines().map(serde_json::from_str).collect::<Result<_, _>>();
        rows.with_context(|| doing("understand", &path))
    }

    /// Writes `rows` below `dir`.
    ///
    /// # Errors
    /// Any failure of the file system, naming the file.
    pub(crate) fn write_all<'a>(rows: impl Iterator<Item = &'a Self>, dir: &Path) -> Result<()> {
        let mut text = String::new();
        for row in rows {
            text += &serde_json::to_string(row)?;
            text.push('\n');
        }
        atomic_write(&dir.join(ROWS), text)
    }

    /// Where its output goes while there is no run directory yet.
    pub(crate) fn log_beside(&self, dir: &Path) -> PathBuf {
        dir.join(format!("{}.log", self.directory))
    }
}

/// Whether `dir` holds a sweep.
pub(crate) fn is_sweep(dir: &Path) -> bool {
    dir.join(SHEET).is_file()
}

/// Makes `dir` the directory of a new sweep; with `force` an earlier one goes, and nothing else.
///
/// # Errors
/// Exit code 2: a directory that holds something else, or a sweep that is not to be replaced.
pub(crate) fn create(dir: &Path, force: bool) -> Result<()> {
    let shown = dir.display();
    match (is_sweep(dir), force) {
        (true, true) => clear(dir)?,
        (true, false) => {
            return Err(config(format!(
                "--out: {shown} holds a sweep: go on with --resume, or replace it with --force"
            )));
        }
        (false, _) if fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some()) => {
            return Err(config(format!(
                "--out: {shown} is not empty and holds no sweep: choose another directory"
            )));
        }
        (false, _) => {}
    }
    create_dir(&dir.join("cells"))
}

fn clear(dir: &Path) -> Result<()> {
    let gone = |path: &Path| match path.is_file() {
        true => fs::remove_file(path).with_context(|| doing("remove", path)),
        false => Ok(()),
    };
    for row in Row::read_all(dir).unwrap_or_default() {
        let cell = dir.join(&row.directory);
        if cell.join("status.json").is_file() {
            RunDir::create(&cell, true)?;
        }
        gone(&cell.join("run.log"))?;
        gone(&row.log_beside(dir))?;
        gone(&super::slurm::log(dir, row.index))?;
        // What somebody else put there stays, and the folder with it.
        let _ = fs::remove_dir(&cell);
    }
    FILES.iter().try_for_each(|name| gone(&dir.join(name)))
}
