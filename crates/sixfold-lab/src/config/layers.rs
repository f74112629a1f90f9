//! The layers of a config and where each value stands.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::Result;
use serde::Deserialize;
use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

use super::{About, nearest};
use crate::error::config;

/// An experiment file embedded in the binary.
#[derive(Clone, Copy, Debug)]
pub struct ExperimentFile {
    /// Its path in the repository, for messages.
    pub path: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// The presets that every experiment has, the default first.
pub const PRESETS: [&str; 3] = ["smoke", "small", "paper"];

/// Size of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Preset {
    /// Embedded input, seconds.
    #[default]
    Smoke,
    /// Real data from `--data`, minutes on two cores.
    Small,
    /// The paper's models and sizes.
    Paper,
}

impl Preset {
    /// The name on the command line and in the file.
    pub const fn name(self) -> &'static str {
        PRESETS[self as usize]
    }
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The config type's own default.
    Default,
    /// The `[config]` table of the experiment file.
    File {
        /// Line in the file.
        line: usize,
    },
    /// A preset's table of the experiment file.
    Preset {
        /// Which preset.
        name: &'static str,
        /// Line in the file.
        line: usize,
    },
    /// A `key=value` argument.
    CommandLine,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { line } => write!(f, "experiment file, line {line}"),
            Self::Preset { name, line } => write!(f, "preset {name}, line {line}"),
            Self::CommandLine => f.write_str("command line"),
        }
    }
}

/// Values by dotted key; arrays are leaves.
#[derive(Clone, Debug, Default)]
pub(super) struct Layered {
    values: BTreeMap<String, (Value, Origin)>,
}

impl Layered {
    /// Puts one value over what was there.
    pub(super) fn set(&mut self, key: &str, value: Value, origin: Origin) {
        if let Value::Table(table) = value {
            for (name, value) in table {
                self.set(&format!("{key}.{name}"), value, origin.clone());
            }
            return;
        }
        // A value replaces the table of the same name, and the other way round.
        let below = format!("{key}.");
        self.values.retain(|known, _| !known.starts_with(&below));
        for (dot, _) in key.match_indices('.') {
            self.values.remove(&key[..dot]);
        }
        self.values.insert(key.to_owned(), (value, origin));
    }

    /// Puts every value of `table` over what was there; `origin` is asked for each leaf.
    pub(super) fn extend(&mut self, table: &Table, origin: &dyn Fn(&str) -> Origin) {
        for (key, value) in flatten(table) {
            let origin = origin(&key);
            self.set(&key, value, origin);
        }
    }

    /// The values with their origins, by key.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Value, &Origin)> {
        self.values.iter().map(|(key, (value, origin))| (key.as_str(), value, origin))
    }

    /// The origin of `key` or of the nearest table or array that holds it.
    pub(super) fn origin(&self, key: &str) -> Option<&Origin> {
        let mut key = key.split('[').next().unwrap_or(key);
        loop {
            if let Some((_, origin)) = self.values.get(key) {
                return Some(origin);
            }
            let below = format!("{key}.");
            if let Some((_, (_, origin))) = self
                .values
                .range(below.clone()..)
                .next()
                .filter(|(known, _)| known.starts_with(&below))
            {
                return Some(origin);
            }
            key = &key[..key.rfind('.')?];
        }
    }

    /// The nested table.
    pub(super) fn table(&self) -> Table {
        let mut root = Table::new();
        for (key, (value, _)) in &self.values {
            insert(&mut root, key, value);
        }
        root
    }
}

/// Puts `value` under the dotted `key`, with the tables that it needs.
fn insert(table: &mut Table, key: &str, value: &Value) {
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), value.clone());
        }
        Some((first, rest)) => {
            let inner = table.entry(first).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

/// The leaves of `table` by dotted key.
pub(super) fn flatten(table: &Table) -> Vec<(String, Value)> {
    let mut leaves = Vec::new();
    for (key, value) in table {
        match value {
            Value::Table(inner) => leaves.extend(
                flatten(inner).into_iter().map(|(below, value)| (format!("{key}.{below}"), value)),
            ),
            leaf => leaves.push((key.clone(), leaf.clone())),
        }
    }
    leaves
}

/// An experiment file, read: its tables and the line of each key.
pub(super) struct Parsed {
    tables: Table,
    lines: BTreeMap<String, usize>,
    path: &'static str,
}

impl Parsed {
    pub(super) fn new(file: ExperimentFile) -> Result<Self> {
        let at = |start: usize| file.text[..start].matches('\n').count() + 1;
        let syntax = |error: toml::de::Error| {
            let line = at(error.span().map_or(0, |span| span.start));
            config(format!("{}:{line}: {}", file.path, error.message()))
        };
        let tables: Table = file.text.parse().map_err(syntax)?;
        let spans = DeTable::parse(file.text).map_err(syntax)?;
        let mut lines = BTreeMap::new();
        collect_lines(spans.get_ref(), "", &at, &mut lines);
        let known = ["about", "config", PRESETS[0], PRESETS[1], PRESETS[2]];
        if let Some(key) = tables.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(config(format!(
                "{}:{}: unknown table `{key}`{}",
                file.path,
                lines.get(key).copied().unwrap_or(1),
                nearest(key, known)
                    .map_or(String::new(), |near| format!("; did you mean `{near}`?")),
            )));
        }
        Ok(Self { tables, lines, path: file.path })
    }

    /// The `[about]` table.
    pub(super) fn about(&self) -> Result<About> {
        let about = self.section("about").cloned().unwrap_or_default();
        About::deserialize(Value::Table(about))
            .map_err(|error| config(format!("{}: about: {}", self.path, error.message())))
    }

    /// A top-level table.
    pub(super) fn section(&self, name: &str) -> Option<&Table> {
        self.tables.get(name).and_then(Value::as_table)
    }

    /// Line of the key `name` of table `section`.
    pub(super) fn line(&self, section: &str, name: &str) -> usize {
        self.lines.get(&format!("{section}.{name}")).copied().unwrap_or(1)
    }
}

fn collect_lines(
    table: &DeTable<'_>,
    prefix: &str,
    at: &dyn Fn(usize) -> usize,
    lines: &mut BTreeMap<String, usize>,
) {
    for (key, value) in table {
        let path = if prefix.is_empty() {
            key.get_ref().to_string()
        } else {
            format!("{prefix}.{}", key.get_ref())
        };
        lines.insert(path.clone(), at(key.span().start));
        if let DeValue::Table(inner) = value.get_ref() {
            collect_lines(inner, &path, at, lines);
        }
    }
}
