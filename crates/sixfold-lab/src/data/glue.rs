//! Reading the tasks of GLUE as they are distributed.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::error::{doing, missing};

/// A task of GLUE (Wang et al. 2019).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GlueTask {
    /// Is a sentence grammatical?
    Cola,
    /// Is a phrase of a review positive?
    Sst2,
    /// Do two sentences mean the same?
    Mrpc,
    /// Do two questions ask the same?
    Qqp,
    /// How similar are two sentences, from 0 to 5?
    Stsb,
    /// Does a premise entail a hypothesis, contradict it, or neither?
    Mnli,
    /// Does a sentence answer a question?
    Qnli,
    /// Does a premise entail a hypothesis?
    Rte,
}

/// A labelled sentence or pair of sentences.
#[derive(Clone, Debug, PartialEq)]
pub struct Labelled {
    /// The sentence, or the first of two.
    pub text: String,
    /// The second sentence.
    pub pair: Option<String>,
    /// The class from 0, or the similarity for [`GlueTask::Stsb`].
    pub label: f32,
}

impl Labelled {
    /// The class; of a similarity, the nearest whole number.
    pub fn class(&self) -> usize {
        self.label.round() as usize
    }
}

/// Which part of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// What is learned from.
    Train,
    /// What is measured; the labels of `test` are not public.
    Dev,
}

/// Where a task keeps what.
struct Layout {
    folder: &'static str,
    name: &'static str,
    /// Column of the text, of the second text, of the label: by name, or by number without header.
    columns: [Option<Field>; 3],
    /// Names of the classes in the order of their numbers; none where the file has numbers.
    classes: &'static [&'static str],
    n_classes: usize,
}

#[derive(Clone, Copy)]
enum Field {
    Number(usize),
    Name(&'static str),
}

impl GlueTask {
    /// All tasks that are read.
    pub const ALL: [Self; 8] = [
        Self::Cola,
        Self::Sst2,
        Self::Mrpc,
        Self::Qqp,
        Self::Stsb,
        Self::Mnli,
        Self::Qnli,
        Self::Rte,
    ];

    /// The name in configs and results.
    pub fn name(self) -> &'static str {
        self.layout().name
    }

    /// Classes; 0 for a similarity.
    pub fn n_classes(self) -> usize {
        self.layout().n_classes
    }

    /// The file of a split below the directory of GLUE, which need not exist.
    pub fn path(self, dir: &Path, split: Split) -> PathBuf {
        let name = match (split, self) {
            (Split::Train, _) => "train.tsv",
            (Split::Dev, Self::Mnli) => "dev_matched.tsv",
            (Split::Dev, _) => "dev.tsv",
        };
        dir.join(self.layout().folder).join(name)
    }

    /// Reads a split of the task below `dir`, the directory of GLUE.
    ///
    /// # Errors
    /// A file that is absent, a column that is not there, a label that is no label: each names
    /// the file and the line.
    pub fn read(self, dir: &Path, split: Split) -> Result<Vec<Labelled>> {
        let path = self.path(dir, split);
        let text = fs::read_to_string(&path).with_context(|| doing("read", &path))?;
        self.parse(&text, &path)
    }

    fn parse(self, text: &str, path: &Path) -> Result<Vec<Labelled>> {
        let layout = self.layout();
        let mut lines = text.trim_start_matches('\u{feff}').lines().enumerate();
        let header: Vec<&str> = match layout.columns[0] {
            Some(Field::Name(_)) => lines.next().map_or("", |(_, line)| line).split('\t').collect(),
            _ => Vec::new(),
        };
        let find = |field: Field| match field {
            Field::Number(number) => Ok(number),
            Field::Name(name) => header.iter().position(|known| *known == name).ok_or_else(|| {
                let known = header.join(", ");
                missing(format!("{}:1: no column `{name}`; there are: {known}", path.display()))
            }),
        };
        let mut columns = [None; 3];
        for (column, field) in columns.iter_mut().zip(layout.columns) {
            *column = field.map(find).transpose()?;
        }
        let mut examples = Vec::new();
        for (number, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
            let at = || format!("{}:{}", path.display(), number + 1);
            let fields: Vec<&str> = line.split('\t').collect();
            let get = |column: usize| {
                fields.get(column).map(|field| field.trim()).ok_or_else(|| {
                    let found = fields.len();
                    missing(format!(
                        "{}: {found} columns, and number {column} (from 0) is wanted",
                        at()
                    ))
                })
            };
            let [text, pair, label] = columns;
            let word = get(label.unwrap_or_default())?;
            let label = layout.label(word).ok_or_else(|| {
                missing(format!("{}: `{word}` is no label of {}", at(), layout.name))
            })?;
            let text = get(text.unwrap_or_default())?.to_owned();
            let pair = pair.map(|column| get(column).map(str::to_owned)).transpose()?;
            examples.push(Labelled { text, pair, label });
        }
        if examples.is_empty() {
            return Err(missing(format!("{}: no example", path.display())));
        }
        Ok(examples)
    }

    fn layout(self) -> Layout {
        use Field::{Name, Number};
        const ENTAILMENT: &[&str] = &["entailment", "not_entailment"];
        let [folder, name] = match self {
            Self::Cola => ["CoLA", "cola"],
            Self::Sst2 => ["SST-2", "sst2"],
            Self::Mrpc => ["MRPC", "mrpc"],
            Self::Qqp => ["QQP", "qqp"],
            Self::Stsb => ["STS-B", "stsb"],
            Self::Mnli => ["MNLI", "mnli"],
            Self::Qnli => ["QNLI", "qnli"],
            Self::Rte => ["RTE", "rte"],
        };
        let named = |text, pair, label| [Some(Name(text)), Some(Name(pair)), Some(Name(label))];
        let (columns, classes, n_classes): (_, &'static [&'static str], _) = match self {
            Self::Cola => ([Some(Number(3)), None, Some(Number(1))], &[], 2),
            Self::Sst2 => ([Some(Name("sentence")), None, Some(Name("label"))], &[], 2),
            Self::Mrpc => (named("#1 String", "#2 String", "Quality"), &[], 2),
            Self::Qqp => (named("question1", "question2", "is_duplicate"), &[], 2),
            Self::Stsb => (named("sentence1", "sentence2", "score"), &[], 0),
            Self::Mnli => (
                named("sentence1", "sentence2", "gold_label"),
                &["entailment", "neutral", "contradiction"],
                3,
            ),
            Self::Qnli => (named("question", "sentence", "label"), ENTAILMENT, 2),
            Self::Rte => (named("sentence1", "sentence2", "label"), ENTAILMENT, 2),
        };
        Layout { folder, name, columns, classes, n_classes }
    }
}

impl Layout {
    fn label(&self, word: &str) -> Option<f32> {
        if !self.classes.is_empty() {
            return self.classes.iter().position(|class| *class == word).map(|class| class as f32);
        }
        let value: f32 = word.parse().ok().filter(|value: &f32| value.is_finite())?;
        let class = value >= 0.0 && value.fract() == 0.0 && value < self.n_classes as f32;
        (self.n_classes == 0 || class).then_some(value)
    }
}

impl fmt::Display for GlueTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(task: GlueTask, text: &str) -> Result<Vec<Labelled>, String> {
        task.parse(text, Path::new("dir/dev.tsv")).map_err(|error| error.to_string())
    }

    fn labelled(text: &str, pair: Option<&str>, label: f32) -> Labelled {
        Labelled { text: text.to_owned(), pair: pair.map(str::to_owned), label }
    }

    #[test]
    fn tables_with_and_without_a_header_are_read() {
        let cola = "gj04\t1\t\tThe boat sank.\ngj04\t0\t*\tThe sank boat.\n";
        let expected =
            [labelled("The boat sank.", None, 1.0), labelled("The sank boat.", None, 0.0)];
        assert_eq!(parse(GlueTask::Cola, cola).unwrap(), expected);
        let rte = "index\tsentence1\tsentence2\tlabel\n0\tA \"b.\tC.\tnot_entailment\n";
        assert_eq!(parse(GlueTask::Rte, rte).unwrap(), [labelled("A \"b.", Some("C."), 1.0)]);
        let mrpc = "\u{feff}Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t7\t8\tx\ty\n";
        assert_eq!(parse(GlueTask::Mrpc, mrpc).unwrap(), [labelled("x", Some("y"), 1.0)]);
        let stsb = "sentence1\tsentence2\tscore\nx\ty\t3.25\n";
        assert_eq!(parse(GlueTask::Stsb, stsb).unwrap(), [labelled("x", Some("y"), 3.25)]);
    }

    #[test]
    fn what_is_wrong_names_file_and_line() {
        let header = "sentence\tlabel\n";
        for (task, text, expected) in [
            (GlueTask::Sst2, "text\tlabel\nx\t1\n".to_owned(), "dev.tsv:1: no column `sentence`"),
            (
                GlueTask::Sst2,
                format!("{header}good\t1\nbad\t2\n"),
                "dev.tsv:3: `2` is no label of sst2",
            ),
            (GlueTask::Sst2, format!("{header}good\n"), "dev.tsv:2: 1 columns"),
            (GlueTask::Sst2, header.to_owned(), "no example"),
            (GlueTask::Stsb, "sentence1\tsentence2\tscore\nx\ty\tNaN\n".to_owned(), "`NaN`"),
        ] {
            let error = parse(task, &text).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn every_task_has_its_own_place_and_name() {
        let mut places: Vec<PathBuf> =
            GlueTask::ALL.iter().map(|task| task.path(Path::new("g"), Split::Dev)).collect();
        places.sort();
        places.dedup();
        assert_eq!(places.len(), GlueTask::ALL.len());
        for task in GlueTask::ALL {
            assert_eq!(serde_json::to_value(task).unwrap(), task.name());
        }
    }
}
