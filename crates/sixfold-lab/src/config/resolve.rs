//! From layers to a typed config, with errors that name file, line and key.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use toml::{Table, Value};

use super::layers::{ExperimentFile, Layered, Origin, Parsed, Preset, flatten};
use super::{About, Override, nearest};
use crate::error::config;

/// Something wrong with the value of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The dotted key.
    pub key: String,
    /// What is wrong and what was expected.
    pub message: String,
}

impl Problem {
    /// A problem with the value of `key`.
    pub fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { key: key.into(), message: message.into() }
    }
}

/// Configs that can say what is wrong with their values.
pub trait Validate {
    /// All problems at once; empty where there is none.
    fn problems(&self) -> Vec<Problem> {
        Vec::new()
    }
}

/// A config after all layers, typed and valid.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The experiment's name.
    pub experiment: String,
    /// The preset.
    pub preset: Preset,
    /// What the experiment file says about itself.
    pub about: About,
    /// The values.
    pub table: Table,
    layered: Layered,
}

impl Resolved {
    /// Dotted key, value as TOML, origin.
    pub fn entries(&self) -> impl Iterator<Item = (&str, String, &Origin)> {
        self.layered.iter().map(|(key, value, origin)| (key, value.to_string(), origin))
    }

    /// Dotted key and value as TOML, without origins.
    pub fn values(&self) -> BTreeMap<String, String> {
        let leaves = flatten(&self.table).into_iter();
        leaves.map(|(key, value)| (key, value.to_string())).collect()
    }

    /// The overrides of the command line, as they have to be written again.
    pub fn overrides(&self) -> Vec<String> {
        self.entries()
            .filter(|(_, _, origin)| **origin == Origin::CommandLine)
            .map(|(key, value, _)| format!("{key}={value}"))
            .collect()
    }

    /// SHA-256 over the experiment's name, the device and all values.
    ///
    /// The preset's name is not in it: the same values are the same config.
    pub fn hash(&self, device: &str) -> String {
        let mut hasher = Sha256::new();
        hasher.update(format!("{}\n{device}\n", self.experiment));
        for (key, value, _) in self.entries() {
            hasher.update(format!("{key}={value}\n"));
        }
        hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The text of `config.toml`.
    ///
    /// # Errors
    /// Values that TOML cannot write; none that came out of TOML.
    pub fn to_toml(&self) -> Result<String> {
        let values = toml::to_string_pretty(&self.table)?;
        Ok(format!("# {}, preset {}\n{values}", self.experiment, self.preset.name()))
    }
}

/// Puts the layers of `file` and the command line together and checks them as a `C`.
pub(crate) fn resolve<C>(
    experiment: &str,
    file: ExperimentFile,
    preset: Preset,
    overrides: &[Override],
) -> Result<Resolved>
where
    C: Default + Serialize + DeserializeOwned + Validate,
{
    let parsed = Parsed::new(file)?;
    let about = parsed.about()?;
    let defaults = Table::try_from(C::default())?;
    let name = preset.name();

    let mut layered = Layered::default();
    layered.extend(&defaults, &|_| Origin::Default);
    if let Some(base) = parsed.section("config") {
        layered.extend(base, &|key| Origin::File { line: parsed.line("config", key) });
    }
    let Some(values) = parsed.section(name) else {
        return Err(config(format!("{}:1: the preset `{name}` is missing", file.path)));
    };
    layered.extend(values, &|key| Origin::Preset { name, line: parsed.line(name, key) });
    for one in overrides {
        layered.set(&one.key, one.value.clone(), Origin::CommandLine);
    }

    let typed: C = typed(&mut layered, overrides, &defaults, file)?;
    let problems = typed.problems();
    if !problems.is_empty() {
        let lines: Vec<String> = problems
            .iter()
            .map(|problem| {
                let place = place(layered.origin(&problem.key), file);
                format!("{place}: {}: {}", problem.key, problem.message)
            })
            .collect();
        return Err(config(lines.join("; ")));
    }
    Ok(Resolved {
        experiment: experiment.to_owned(),
        preset,
        about,
        table: layered.table(),
        layered,
    })
}

/// Reads `table`, already resolved, as a `C`; `path` names it in errors.
pub(crate) fn check<C: DeserializeOwned>(table: &Table, path: &str) -> Result<C> {
    serde_path_to_error::deserialize(Value::Table(table.clone()))
        .map_err(|error| config(format!("{path}: {}: {}", error.path(), error.inner().message())))
}

fn typed<C: DeserializeOwned>(
    layered: &mut Layered,
    overrides: &[Override],
    defaults: &Table,
    file: ExperimentFile,
) -> Result<C> {
    // Each round turns one number of the command line into the text it stands for, so the
    // loop ends after as many rounds as there are overrides.
    loop {
        let value = Value::Table(layered.table());
        let error = match serde_path_to_error::deserialize::<_, C>(value) {
            Ok(config) => return Ok(config),
            Err(error) => error,
        };
        let key = error.path().to_string();
        let message = error.inner().message().to_owned();
        let meant_as_text = overrides.iter().rev().find(|one| {
            one.key == key
                && message.contains("expected a string")
                && !one.value.is_str()
                && layered.iter().any(|(known, value, _)| known == key && !value.is_str())
        });
        if let Some(one) = meant_as_text {
            layered.set(&key, Value::String(one.raw.clone()), Origin::CommandLine);
            continue;
        }
        let place = place(layered.origin(&key), file);
        return Err(config(explain(&place, &key, &message, defaults)));
    }
}

/// One line from serde's message.
fn explain(place: &str, key: &str, message: &str, defaults: &Table) -> String {
    let named = if key == "." { String::new() } else { format!("{key}: ") };
    // Serde puts names in back quotes: first the wrong one, then those it expected.
    let mut quoted = message.split('`').skip(1).step_by(2);
    let wrong = quoted.next().unwrap_or(key);
    let expected: Vec<&str> = quoted.collect();
    if message.starts_with("unknown field") {
        return unknown_key(place, key, wrong, &expected, defaults);
    }
    if message.starts_with("unknown variant") {
        return match nearest(wrong, expected.iter().copied()) {
            Some(near) => {
                format!("{place}: {named}unknown value `{wrong}`; did you mean `{near}`?")
            }
            None => {
                let valid = expected.join(", ");
                format!("{place}: {named}unknown value `{wrong}`; valid here: {valid}")
            }
        };
    }
    let invalid = ["invalid type: ", "invalid value: "];
    let Some(rest) = invalid.iter().find_map(|prefix| message.strip_prefix(prefix)) else {
        return format!("{place}: {named}{message}");
    };
    let (found, wanted) = rest.rsplit_once(", expected ").unwrap_or((rest, "another type"));
    let found = if found == "map" { "a table" } else { found };
    let wanted = match wanted {
        "usize" | "u64" | "u32" | "u16" | "u8" => "a whole number from 0",
        "isize" | "i64" | "i32" => "a whole number",
        "f64" | "f32" => "a number",
        "a sequence" => "a list, as in [1, 2]",
        "a map" => "a table",
        wanted if wanted.starts_with("struct ") => "a table",
        other => other,
    };
    format!("{place}: {named}expected {wanted}, found {found}")
}

fn unknown_key(
    place: &str,
    key: &str,
    unknown: &str,
    expected: &[&str],
    defaults: &Table,
) -> String {
    // The path ends in the key itself, except at the root.
    let parent = key.strip_suffix(unknown).unwrap_or("");
    let full = format!("{parent}{unknown}");
    let expected: Vec<String> = expected.iter().map(|name| format!("{parent}{name}")).collect();
    let all = flatten(defaults);
    let candidates =
        expected.iter().map(String::as_str).chain(all.iter().map(|(key, _)| key.as_str()));
    match nearest(&full, candidates) {
        Some(near) => format!("{place}: unknown key `{full}`; did you mean `{near}`?"),
        None => format!("{place}: unknown key `{full}`; valid here: {}", expected.join(", ")),
    }
}

fn place(origin: Option<&Origin>, file: ExperimentFile) -> String {
    match origin {
        Some(Origin::CommandLine) => "command line".to_owned(),
        Some(Origin::File { line } | Origin::Preset { line, .. }) => {
            format!("{}:{line}", file.path)
        }
        Some(Origin::Default) | None => file.path.to_owned(),
    }
}

#[cfg(test)]
mod tests;
