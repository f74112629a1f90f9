//! Settings in JSON files, with errors that name the file and the key.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sixfold_linalg::files::write_atomically;

use crate::{Error, Result};

/// The object that a file holds.
pub(crate) fn read_object(path: &Path) -> Result<Map<String, Value>> {
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Error::malformed(path, format!("truncated, or no JSON object ({error})")))
}

/// Settings whose keys are all known; one that is missing has its default.
pub(crate) fn read<T: Default + Serialize + DeserializeOwned>(path: &Path) -> Result<T> {
    let found = read_object(path)?;
    let defaults = object(path, &T::default())?;
    if let Some(key) = found.keys().find(|key| !defaults.contains_key(*key)) {
        let near = nearest(key, defaults.keys().map(String::as_str));
        let what = format!("unknown key `{key}`, the nearest is `{near}`");
        return Err(Error::malformed(path, what));
    }
    // One key at a time, because serde's errors do not say which key they are about.
    for (key, value) in &found {
        let mut probe = defaults.clone();
        probe.insert(key.clone(), value.clone());
        serde_json::from_value::<T>(Value::Object(probe))
            .map_err(|error| Error::malformed(path, format!("`{key}` is {value}: {error}")))?;
    }
    let mut all = defaults;
    all.extend(found);
    serde_json::from_value(Value::Object(all))
        .map_err(|error| Error::malformed(path, error.to_string()))
}

/// Writes settings; the file appears whole or not at all.
pub(crate) fn write(path: &Path, settings: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(settings).map_err(|e| Error::io(path)(e.into()))?;
    Ok(write_atomically(path, |file| {
        std::io::Write::write_all(file, format!("{text}\n").as_bytes())
    })?)
}

fn object(path: &Path, settings: &impl Serialize) -> Result<Map<String, Value>> {
    match serde_json::to_value(settings) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Error::malformed(path, "the settings are no object")),
        Err(error) => Err(Error::io(path)(error.into())),
    }
}

/// The key that differs least, by Levenshtein's distance.
fn nearest<'a>(key: &str, known: impl Iterator<Item = &'a str>) -> &'a str {
    known.min_by_key(|other| distance(key, other)).unwrap_or_default()
}

fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
