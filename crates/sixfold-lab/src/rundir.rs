//! The directory of a run.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::atomic::{atomic_write, create_dir};
use crate::environment::now;
use crate::error::{config, doing, missing};

/// What a run writes; `--force` removes these and nothing else.
const FILES: [&str; 10] = [
    "config.toml",
    "env.json",
    "metrics.jsonl",
    "results.json",
    "report.md",
    "report.html",
    "status.json",
    "vectors.txt",
    "vectors.bin",
    "vectors.safetensors",
];
const FOLDERS: [&str; 5] = ["tables", "figures", "cells", "checkpoints", "tensorboard"];

/// The content of `status.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// `running`, `complete`, `interrupted` or `failed`.
    pub status: String,
    /// Why, where it is `interrupted` or `failed`.
    pub reason: Option<String>,
    /// Name of the experiment.
    pub experiment: String,
    /// The config's hash.
    pub config_hash: String,
    /// When this was written, UTC.
    pub updated: String,
    /// The process that wrote it.
    pub pid: u32,
}

impl Status {
    /// A status of now.
    pub fn new(status: &str, reason: Option<String>, experiment: &str, hash: &str) -> Self {
        Self {
            status: status.to_owned(),
            reason,
            experiment: experiment.to_owned(),
            config_hash: hash.to_owned(),
            updated: now(),
            pid: std::process::id(),
        }
    }

    /// Whether another process is at it right now.
    pub(crate) fn is_alive(&self) -> bool {
        let other = self.status == "running" && self.pid != std::process::id();
        // Process numbers are used again: only one that runs this program counts.
        let name = |pid: &str| fs::read_to_string(format!("/proc/{pid}/comm")).ok();
        other && name(&self.pid.to_string()).is_some_and(|comm| Some(comm) == name("self"))
    }
}

/// A run directory, open for writing.
#[derive(Clone, Debug)]
pub struct RunDir {
    path: PathBuf,
}

impl RunDir {
    /// Makes `path` the directory of a new run.
    ///
    /// # Errors
    /// A directory that already holds something, unless `force` is set and it is a run: then
    /// the old run's files are removed, and nothing else.
    pub fn create(path: &Path, force: bool) -> Result<Self> {
        let dir = Self { path: path.to_owned() };
        let occupied = fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some());
        if occupied {
            let shown = path.display();
            let run = dir.status().ok();
            if run.as_ref().is_some_and(Status::is_alive) {
                return Err(config(format!("--out: {shown} is in use by a run under way")));
            }
            match (run.is_some(), force) {
                (true, true) => dir.clear()?,
                (true, false) => {
                    return Err(config(format!(
                        "--out: {shown} holds a run: go on with --resume, or replace it with --force"
                    )));
                }
                (false, _) => {
                    return Err(config(format!(
                        "--out: {shown} is not empty and holds no run: choose another directory"
                    )));
                }
            }
        }
        create_dir(path)?;
        Ok(dir)
    }

    /// Opens the directory of an earlier run.
    ///
    /// # Errors
    /// Exit code 3 where there is none.
    pub fn open(path: &Path) -> Result<Self> {
        let dir = Self { path: path.to_owned() };
        if !path.join("config.toml").is_file() {
            return Err(missing(format!("{} is no run directory: no config.toml", path.display())));
        }
        Ok(dir)
    }

    /// Opens it to go on with a run of the config `hash`.
    ///
    /// # Errors
    /// A run of another config, or one that is under way.
    pub fn resume(path: &Path, hash: &str) -> Result<Self> {
        let dir = Self::open(path)?;
        let status = dir.status()?;
        let shown = path.display();
        if status.config_hash != hash {
            return Err(config(format!(
                "--resume: {shown} is a run of another config, device or experiment"
            )));
        }
        if status.is_alive() {
            return Err(config(format!("--resume: {shown} is in use by process {}", status.pid)));
        }
        Ok(dir)
    }

    /// The latest run of the config `hash` below `root`: the latest unfinished one, else the
    /// latest.
    pub fn latest(root: &Path, hash: &str) -> Option<PathBuf> {
        let entries = fs::read_dir(root).ok()?;
        let mut runs: Vec<(bool, String, PathBuf)> = entries
            .flatten()
            .filter_map(|entry| {
                let path = entry.path();
                let status = Self { path: path.clone() }.status().ok()?;
                let fits = status.config_hash == hash && !status.is_alive();
                fits.then(|| (status.status != "complete", status.updated, path))
            })
            .collect();
        runs.sort();
        runs.pop().map(|(_, _, path)| path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The content of `status.json`.
    ///
    /// # Errors
    /// A file that is absent or not a status.
    pub fn status(&self) -> Result<Status> {
        self.read_json("status.json")
    }

    /// Writes one file of the run, whole or not at all.
    ///
    /// # Errors
    /// Any failure of the file system, naming the file.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> Result<()> {
        let path = self.path.join(name);
        if let Some(parent) = path.parent().filter(|parent| !parent.is_dir()) {
            create_dir(parent)?;
        }
        atomic_write(&path, bytes)
    }

    /// Writes one file as indented JSON.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn write_json(&self, name: &str, value: &impl Serialize) -> Result<()> {
        let mut text = serde_json::to_string_pretty(value)?;
        text.push('\n');
        self.write(name, text)
    }

    /// Reads one file as JSON.
    ///
    /// # Errors
    /// A file that is absent or of another shape, naming it.
    pub fn read_json<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        let path = self.path.join(name);
        let text = fs::read_to_string(&path).with_context(|| doing("read", &path))?;
        serde_json::from_str(&text).with_context(|| doing("understand", &path))
    }

    /// Adds a line to `metrics.jsonl`. A line that does not fit on the disk is taken back.
    ///
    /// # Errors
    /// Any failure of the file system, naming the file.
    pub fn append_log(&self, line: &impl Serialize) -> Result<()> {
        let path = self.path.join("metrics.jsonl");
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        let append = |file: &mut File| -> std::io::Result<()> {
            let end = file.seek(SeekFrom::End(0))?;
            file.write_all(text.as_bytes()).inspect_err(|_| {
                let _ = file.set_len(end);
            })
        };
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .and_then(|mut file| append(&mut file))
            .with_context(|| doing("write", &path))
    }

    fn clear(&self) -> Result<()> {
        for name in FOLDERS {
            let path = self.path.join(name);
            if path.is_dir() {
                fs::remove_dir_all(&path).with_context(|| doing("remove", &path))?;
            }
        }
        for name in FILES {
            let path = self.path.join(name);
            if path.is_file() {
                fs::remove_file(&path).with_context(|| doing("remove", &path))?;
            }
        }
        Ok(())
    }
}
