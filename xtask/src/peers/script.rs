//! A driver of `benches/peers`, and what it says it needs.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

/// What `--describe` says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Script {
    pub(super) name: String,
    pub(super) path: PathBuf,
    /// The file of pinned packages, beside the driver.
    pub(super) requirements: String,
    /// Arguments of `cargo build --release`.
    pub(super) builds: Vec<Vec<String>>,
    /// What `--ours` gets, below the release folder; empty for the folder itself.
    pub(super) ours: String,
    /// Whether it takes `--data`.
    pub(super) data: bool,
}

/// The drivers of a folder: `run.py` is `model`, `run_tensor_train.py` is `tensor-train`.
pub(super) fn all(dir: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut scripts = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))? {
        let path = entry?.path();
        let stem = path.file_stem().and_then(OsStr::to_str).unwrap_or_default();
        let name = match stem.strip_prefix("run") {
            Some("") => "model".to_owned(),
            Some(name) if name.starts_with('_') => name[1..].replace('_', "-"),
            _ => continue,
        };
        if path.extension().is_some_and(|extension| extension == "py") {
            scripts.push((name, path));
        }
    }
    scripts.sort();
    Ok(scripts)
}

impl Script {
    /// Asks a driver what it needs. Any Python will do: drivers import nothing but its library.
    pub(super) fn open(name: &str, path: &Path, python: &OsStr) -> Result<Self> {
        let mut command = Command::new(python);
        command.arg("-B").arg(path).arg("--describe").stderr(Stdio::inherit());
        let output =
            command.output().with_context(|| format!("cannot run {}", python.display()))?;
        ensure!(output.status.success(), "{} --describe: {}", path.display(), output.status);
        let told = serde_json::from_slice(&output.stdout);
        let told: Value = told.with_context(|| format!("{} --describe", path.display()))?;
        let text = |key: &str| {
            let text = told[key].as_str().map(str::to_owned);
            text.with_context(|| format!("{} --describe: `{key}` is no text", path.display()))
        };
        let builds = told["builds"].as_array().into_iter().flatten();
        let words = |build: &Value| {
            let words = build.as_array().into_iter().flatten().filter_map(Value::as_str);
            words.map(str::to_owned).collect()
        };
        Ok(Self {
            name: name.to_owned(),
            path: path.to_owned(),
            requirements: text("requirements")?,
            builds: builds.map(words).collect(),
            ours: text("ours")?,
            data: told["data"] == true,
        })
    }
}
