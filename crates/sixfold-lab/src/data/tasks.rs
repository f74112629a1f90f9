//! Tasks on sentences: those of GLUE, and one that is generated.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Result;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::glue::{GlueTask, Labelled, Split};
use super::synthetic;

/// A task on sentences or pairs of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SentenceTask {
    /// Generated sentences of two classes ([`synthetic::sentences`]): `synthetic` in configs.
    Synthetic,
    /// A task of GLUE, by its name.
    Glue(GlueTask),
}

impl SentenceTask {
    /// The name in configs and results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Synthetic => "synthetic",
            Self::Glue(task) => task.name(),
        }
    }

    /// Classes; 0 for a similarity.
    pub fn n_classes(self) -> usize {
        match self {
            Self::Synthetic => 2,
            Self::Glue(task) => task.n_classes(),
        }
    }

    /// The file of a split below the directory of GLUE; none for sentences that are generated.
    pub fn path(self, glue: &Path, split: Split) -> Option<PathBuf> {
        match self {
            Self::Synthetic => None,
            Self::Glue(task) => Some(task.path(glue, split)),
        }
    }

    /// The examples of a split.
    ///
    /// # Errors
    /// As [`GlueTask::read`].
    pub fn read(self, glue: &Path, split: Split) -> Result<Vec<Labelled>> {
        match self {
            Self::Synthetic => Ok(synthetic::sentences(split, 0)),
            Self::Glue(task) => task.read(glue, split),
        }
    }
}

impl fmt::Display for SentenceTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no task.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no task; there are: {known}")]
pub struct UnknownTask {
    name: String,
    known: String,
}

impl FromStr for SentenceTask {
    type Err = UnknownTask;

    fn from_str(name: &str) -> Result<Self, UnknownTask> {
        let mut all = GlueTask::ALL.map(Self::Glue).to_vec();
        all.push(Self::Synthetic);
        all.iter().copied().find(|task| task.name() == name).ok_or_else(|| UnknownTask {
            name: name.to_owned(),
            known: all.iter().map(|task| task.name()).collect::<Vec<_>>().join(", "),
        })
    }
}

impl Serialize for SentenceTask {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.name().serialize(to)
    }
}

impl<'de> Deserialize<'de> for SentenceTask {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        for name in ["synthetic", "cola", "mrpc"] {
            let task: SentenceTask = name.parse().unwrap();
            assert_eq!(serde_json::to_value(task).unwrap(), name);
        }
        let error = "colla".parse::<SentenceTask>().unwrap_err().to_string();
        assert!(error.contains("`colla` is no task") && error.contains("cola"), "{error}");
    }
}
