//! Who sees what: the victim learns from one part of a task, the search sees the texts of another, and a third reports.

use anyhow::Result;
use rand::seq::SliceRandom;
use sha2::{Digest, Sha256};
use sixfold_model::Seed;
use sixfold_triggers::Text;

use crate::config::Problem;
use crate::context::Context;
use crate::data::{GlueTask, Input, InputKind, Labelled, SentenceTask, Split};
use crate::error::config;

/// Share of a development file that reports where it has to serve for everything.
const REPORTS: usize = 5;

/// The parts of a task.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    pub(super) task: SentenceTask,
    /// What a victim learns from.
    pub(super) train: Vec<Labelled>,
    /// What a search sees: texts alone.
    pub(super) search: Vec<Unlabelled>,
    /// What reports.
    pub(super) dev: Vec<Labelled>,
    /// SHA-256 over all of them.
    pub(super) hash: String,
}

/// A text or a pair of texts whose class nobody has looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unlabelled {
    pub(super) text: String,
    pub(super) pair: Option<String>,
}

/// A text as the triggers crate takes it.
pub(super) trait AsText {
    /// The text or the pair.
    fn as_text(&self) -> Text<'_>;
}

impl AsText for Labelled {
    fn as_text(&self) -> Text<'_> {
        text(&self.text, self.pair.as_deref())
    }
}

impl AsText for Unlabelled {
    fn as_text(&self) -> Text<'_> {
        text(&self.text, self.pair.as_deref())
    }
}

fn text<'a>(text: &'a str, pair: Option<&'a str>) -> Text<'a> {
    pair.map_or(Text::One(text), |pair| Text::Pair(text, pair))
}

impl Parts {
    /// Reads a task and deals it out: `held_out` examples of the train file go to the search, at most `max_dev` of the
    /// dev file report (0: all). QNLI's train file is seldom at hand: its dev file is cut in three then.
    ///
    /// # Errors
    /// A file that cannot be read; a slice that leaves nothing to learn from.
    pub(super) fn read(
        task: SentenceTask,
        glue: &str,
        held_out: usize,
        max_dev: usize,
        seed: u64,
        cx: &Context,
    ) -> Result<Self> {
        let dir = cx.locator().expand("glue", glue)?;
        let mut random = Seed::new(seed).derive("split").stream(task.name());
        let mut dev = task.read(&dir, Split::Dev)?;
        let mut train = match cut_in_three(task) && !train_is_there(task, &dir) {
            false => task.read(&dir, Split::Train)?,
            true => {
                dev.shuffle(&mut random);
                dev.split_off((dev.len() / REPORTS).max(1))
            }
        };
        train.shuffle(&mut random);
        if train.len() < held_out + 2 {
            let (key, n) = ("search.examples", train.len());
            return Err(config(format!(
                "{key}: {held_out} of the {n} examples of {task} leave nothing to learn from"
            )));
        }
        let search = train.split_off(train.len() - held_out);
        let search =
            search.into_iter().map(|Labelled { text, pair, .. }| Unlabelled { text, pair });
        if max_dev > 0 && dev.len() > max_dev {
            dev.shuffle(&mut random);
            dev.truncate(max_dev);
        }
        let search: Vec<Unlabelled> = search.collect();
        let hash = hash(&train, &search, &dev);
        Ok(Self { task, train, search, dev, hash })
    }

    /// What a victim learns from: the first `max` examples, 0 for all.
    pub(super) fn lessons(&self, max: usize) -> &[Labelled] {
        let n = if max == 0 { self.train.len() } else { max.min(self.train.len()) };
        &self.train[..n]
    }

    /// The classes of what reports.
    pub(super) fn gold(&self) -> Vec<usize> {
        self.dev.iter().map(Labelled::class).collect()
    }
}

/// The files of a task that have to be there.
pub(super) fn inputs(task: SentenceTask, glue: &str) -> Vec<Input> {
    let needed = if cut_in_three(task) { &[Split::Dev][..] } else { &[Split::Train, Split::Dev] };
    let path = |split: &Split| task.path(glue.as_ref(), *split);
    let input = |path: std::path::PathBuf| {
        Input::new(InputKind::File, "glue", path.to_string_lossy().into_owned())
    };
    needed.iter().filter_map(path).map(input).collect()
}

/// What is wrong with a task for classifiers.
pub(super) fn problems(key: &str, task: SentenceTask) -> Vec<Problem> {
    let is_classes = task.n_classes() > 1;
    let message = || format!("`{task}` has no classes, which a classifier needs");
    (!is_classes).then(|| Problem::new(key, message())).into_iter().collect()
}

fn cut_in_three(task: SentenceTask) -> bool {
    task == SentenceTask::Glue(GlueTask::Qnli)
}

fn train_is_there(task: SentenceTask, dir: &std::path::Path) -> bool {
    task.path(dir, Split::Train).is_some_and(|path| path.is_file())
}

/// SHA-256 of rows, in hexadecimal digits.
pub(super) fn hash(train: &[Labelled], search: &[Unlabelled], dev: &[Labelled]) -> String {
    let mut hasher = Sha256::new();
    // Lengths tell where a text ends, whatever signs it has.
    let mut put = |parts: [&str; 2], label: f32| {
        for part in parts {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        hasher.update(label.to_le_bytes());
    };
    let pair = |pair: &Option<String>| pair.clone().unwrap_or_default();
    train.iter().chain(dev).for_each(|one| put([&one.text, &pair(&one.pair)], one.label));
    search.iter().for_each(|one| put([&one.text, &pair(&one.pair)], f32::NAN));
    hasher.update((train.len() as u64).to_le_bytes());
    hex(&hasher.finalize())
}

/// Bytes in hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_tell_rows_apart() {
        let row = |text: &str, label: f32| Labelled { text: text.to_owned(), pair: None, label };
        let of = |train: &[Labelled], dev: &[Labelled]| hash(train, &[], dev);
        let (a, b) = ([row("ab", 0.0)], [row("ab", 1.0)]);
        let both = [row("ab", 0.0), row("ab", 1.0)];
        assert_ne!(of(&a, &[]), of(&b, &[]));
        assert_ne!(of(&a, &b), of(&both, &[]));
        assert_eq!(of(&a, &b), of(&a, &b));
    }

    #[test]
    fn a_similarity_is_no_class() {
        assert_eq!(problems("task", "stsb".parse().unwrap()).len(), 1);
        assert!(problems("task", SentenceTask::Synthetic).is_empty());
        assert_eq!(inputs("qnli".parse().unwrap(), "glue").len(), 1);
    }
}
