//! Where trained classifiers are kept for other runs.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::Training;
use crate::atomic::{atomic_write, create_dir};
use crate::context::Context;
use crate::error::doing;

/// What tells how a kept classifier was trained; written last.
const RECORD: &str = "victim.json";

/// The folder of all.
pub(super) struct Cache(PathBuf);

#[derive(Serialize, Deserialize)]
struct Record {
    key: String,
    training: Training,
}

impl Cache {
    /// `SIXFOLD_CACHE`, else the folder `.cache` of the `runs` that the run lies in, else one beside the run.
    pub(super) fn of(cx: &Context) -> Self {
        match std::env::var_os("SIXFOLD_CACHE").filter(|path| !path.is_empty()) {
            Some(path) => Self(PathBuf::from(path)),
            None => Self(beside(&cx.path(""))),
        }
    }

    /// A kept classifier.
    pub(super) fn find(&self, name: &str, key: &str) -> Option<(PathBuf, Training)> {
        let dir = self.place(name, key);
        let bytes = std::fs::read(dir.join(RECORD)).ok()?;
        let record: Record = serde_json::from_slice(&bytes).ok()?;
        (record.key == key).then_some((dir, record.training))
    }

    /// A directory of this folder that goes unless it is kept.
    pub(super) fn begin(&self) -> Result<TempDir> {
        create_dir(&self.0)?;
        tempfile::Builder::new()
            .prefix(".new-")
            .tempdir_in(&self.0)
            .with_context(|| doing("write in", &self.0))
    }

    /// Gives a finished directory its name. What another process finished meanwhile stays.
    pub(super) fn keep(
        &self,
        fresh: TempDir,
        name: &str,
        key: &str,
        training: &Training,
    ) -> Result<PathBuf> {
        let record = Record { key: key.to_owned(), training: training.clone() };
        let text = serde_json::to_vec_pretty(&record).context("cannot write a record")?;
        atomic_write(&fresh.path().join(RECORD), text)?;
        let dir = self.place(name, key);
        match std::fs::rename(fresh.path(), &dir) {
            Ok(()) => {
                // It has another name now: nothing is left to remove.
                let _ = fresh.keep();
                Ok(dir)
            }
            Err(_) if self.find(name, key).is_some() => Ok(dir),
            Err(error) => Err(error).with_context(|| doing("write", &dir)),
        }
    }

    fn place(&self, name: &str, key: &str) -> PathBuf {
        self.0.join(format!("{name}-{}", &key[..16]))
    }
}

fn beside(run: &Path) -> PathBuf {
    let runs = run.ancestors().find(|path| path.file_name().is_some_and(|name| name == "runs"));
    let parent = || run.components().as_path().parent().unwrap_or(Path::new("")).to_owned();
    runs.map_or_else(parent, Path::to_owned).join(".cache")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_experiments_below_runs_share_a_folder() {
        for (run, expected) in [
            ("runs/triggers/audit/20260101-abc/", "runs/.cache"),
            ("/tmp/x/", "/tmp/.cache"),
            ("x/", ".cache"),
            ("/work/runs/all/1/triggers/audit", "/work/runs/.cache"),
        ] {
            assert_eq!(beside(Path::new(run)), Path::new(expected), "{run}");
        }
    }

    #[test]
    fn what_is_kept_is_found_by_its_key_alone() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache(folder.path().join("deep"));
        let (key, other) = ("a".repeat(64), "a".repeat(63) + "b");
        let training = Training { steps: 3, examples: 5, seconds: None };
        let fresh = cache.begin().unwrap();
        std::fs::write(fresh.path().join("config.json"), "{}").unwrap();
        let dir = cache.keep(fresh, "bert-sst2", &key, &training).unwrap();
        assert!(dir.join("config.json").is_file());
        assert_eq!(cache.find("bert-sst2", &key), Some((dir.clone(), training.clone())));
        // The first digits alone do not make it the same.
        assert_eq!(cache.find("bert-sst2", &other), None);
        // A second process comes too late.
        let again = cache.keep(cache.begin().unwrap(), "bert-sst2", &key, &training).unwrap();
        assert_eq!(again, dir);
        assert_eq!(std::fs::read_dir(&cache.0).unwrap().count(), 1);
    }
}
