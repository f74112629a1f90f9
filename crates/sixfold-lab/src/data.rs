//! Where inputs lie, and reading text.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::error::{config, missing};

pub mod clicks;
mod documents;
mod fingerprint;
mod glue;
mod instructions;
mod pairs;
mod reviews;
pub mod synthetic;
mod tasks;
mod words;
pub use documents::{Column, Documents};
pub use fingerprint::Fingerprint;
pub(crate) use fingerprint::fingerprints;
pub use glue::{GlueTask, Labelled, Split};
pub use instructions::{Instruction, instructions};
pub use pairs::{Pair, read_pairs};
pub use reviews::{Review, reviews};
pub use tasks::{SentenceTask, UnknownTask};
pub use words::{WordNumbers, words};

/// What a key of a config points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// A Hugging Face model directory.
    Model,
    /// A text file with at least one document.
    Text,
    /// Any file.
    File,
    /// A directory.
    Directory,
}

/// An input that a run needs.
#[derive(Clone, Debug)]
pub struct Input {
    /// The key that names it.
    pub key: String,
    /// The path as the config gives it.
    pub path: String,
    /// What has to lie there.
    pub kind: InputKind,
    /// The column, for tables of text.
    pub column: Option<Column>,
}

impl Input {
    /// An input named by `key`.
    pub fn new(kind: InputKind, key: impl Into<String>, path: impl Into<String>) -> Self {
        Self { key: key.into(), path: path.into(), kind, column: None }
    }
}

/// Turns the paths of a config into paths of this machine.
///
/// `{data}` stands for the data directory, `{repo}` for the repository's root. Other paths are
/// taken as they are, relative to the working directory.
#[derive(Clone, Debug)]
pub struct Locator {
    data: PathBuf,
    repo: PathBuf,
}

impl Locator {
    /// The directory of `--data`, else of `SIXFOLD_DATA`, else `./data`; the repository's root
    /// is where this binary was built, or `SIXFOLD_REPO`.
    pub fn new(data: Option<PathBuf>) -> Self {
        let variable = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let built = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = built.ancestors().nth(2).unwrap_or(built);
        Self {
            data: data
                .or_else(|| variable("SIXFOLD_DATA"))
                .unwrap_or_else(|| PathBuf::from("data")),
            repo: variable("SIXFOLD_REPO").unwrap_or_else(|| root.to_owned()),
        }
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The repository's root.
    pub fn repo(&self) -> &Path {
        &self.repo
    }

    /// The path with its placeholder filled in; it need not exist.
    ///
    /// # Errors
    /// An unknown placeholder, as a config error that names `key`.
    pub fn expand(&self, key: &str, path: &str) -> Result<PathBuf> {
        let Some(rest) = path.strip_prefix('{') else { return Ok(PathBuf::from(path)) };
        let (name, rest) = rest.split_once('}').unwrap_or((rest, ""));
        let base = match name {
            "data" => &self.data,
            "repo" => &self.repo,
            _ => {
                return Err(config(format!(
                    "{key}: unknown placeholder `{{{name}}}` in `{path}`; known: {{data}}, {{repo}}"
                )));
            }
        };
        Ok(base.join(rest.trim_start_matches('/')))
    }

    /// The path of a file or directory that must be there.
    ///
    /// # Errors
    /// Exit code 3, naming the key, the path and the ways to give the data directory.
    pub fn existing(&self, key: &str, path: &str) -> Result<PathBuf> {
        let full = self.expand(key, path)?;
        if full.exists() {
            return Ok(full);
        }
        Err(missing(format!("{key}: {} does not exist{}", full.display(), self.hint(path))))
    }

    /// Checks one input before anything is computed.
    ///
    /// # Errors
    /// Exit code 3 where it is absent, of the wrong kind or empty.
    pub fn check(&self, input: &Input) -> Result<PathBuf> {
        let path = self.existing(&input.key, &input.path)?;
        let problem = match input.kind {
            InputKind::Model if !path.join("config.json").is_file() => {
                Some("holds no config.json: a Hugging Face model directory is expected")
            }
            InputKind::Text | InputKind::File if !path.is_file() => Some("is not a file"),
            InputKind::Directory if !path.is_dir() => Some("is not a directory"),
            InputKind::Text => {
                let mut documents = Documents::open(&path, input.column.as_ref())?;
                documents.next().transpose()?.is_none().then_some("holds no text")
            }
            _ => None,
        };
        match problem {
            Some(problem) => Err(missing(format!("{}: {} {problem}", input.key, path.display()))),
            None => Ok(path),
        }
    }

    fn hint(&self, path: &str) -> String {
        if path.starts_with("{data}") {
            format!(
                "; give the data directory with --data DIR or SIXFOLD_DATA (now {})",
                self.data.display()
            )
        } else if path.starts_with("{repo}") {
            format!(
                "; it is part of the repository: set SIXFOLD_REPO to its root (now {})",
                self.repo.display()
            )
        } else {
            String::new()
        }
    }
}

#[cfg(test)]
mod tests;
