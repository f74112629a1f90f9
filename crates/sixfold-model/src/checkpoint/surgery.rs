//! Checkpoints of models whose layers are no longer those of their family.
//!
//! `sixfold_schedule` is the parameter set of each layer, `sixfold_affine` lists the sets that are
//! affine maps, `sixfold_windows` the window of each layer where the family has any.

use serde_json::{Map, Value, json};

use super::ConfigReader;
use super::naming::{Part, Source};
use crate::{Result, TransformerSpec};

/// Before the family's `model_type`, so that `transformers` refuses what it cannot represent.
const PREFIX: &str = "sixfold-";

const SCHEDULE: &str = "sixfold_schedule";
const AFFINE: &str = "sixfold_affine";
const WINDOWS: &str = "sixfold_windows";

/// What families call the number of layers.
const COUNTS: [&str; 4] = ["num_hidden_layers", "n_layer", "n_layers", "num_layers"];

/// The family of a `model_type`.
pub(super) fn family_name(model_type: &str) -> &str {
    model_type.strip_prefix(PREFIX).unwrap_or(model_type)
}

/// Changes the family's description into that of the file.
pub(super) fn read(config: &ConfigReader<'_>, spec: &mut TransformerSpec) -> Result<()> {
    let list = |key: &str| -> Result<Option<Vec<Option<usize>>>> {
        let Some(value) = config.value(key) else { return Ok(None) };
        let expected = || config.error(key, "expected a list of numbers");
        let number = |value: &Value| match value {
            Value::Null if key == WINDOWS => Ok(None),
            value => value.as_u64().map(|n| Some(n as usize)).ok_or_else(expected),
        };
        value.as_array().ok_or_else(expected)?.iter().map(number).collect::<Result<_>>().map(Some)
    };
    if let Some(schedule) = list(SCHEDULE)? {
        spec.schedule = schedule.into_iter().flatten().collect();
        // A gap would be a block that no layer uses and that the file does not hold.
        let unused = (0..spec.n_blocks()).find(|block| !spec.schedule.contains(block));
        if let Some(block) = unused {
            return Err(config.error(SCHEDULE, format!("no layer uses block {block}")));
        }
    }
    if let Some(affine) = list(AFFINE)? {
        spec.affine = affine.into_iter().flatten().collect();
    }
    if let Some(windows) = list(WINDOWS)? {
        spec.attention.windows = windows;
    }
    Ok(())
}

/// Describes `found` in a config that described `known`.
pub(super) fn write(
    config: &mut Map<String, Value>,
    known: &TransformerSpec,
    found: &TransformerSpec,
) {
    let layers = |spec: &TransformerSpec| {
        (spec.schedule.clone(), spec.affine.clone(), spec.attention.windows.clone())
    };
    if layers(known) == layers(found) {
        return;
    }
    let stack = found.schedule.iter().copied().eq(0..found.n_layers());
    let plain = stack && found.affine.is_empty() && found.attention.windows.is_empty();
    // Shared layers follow from other keys than their number.
    let unshared = known.n_blocks() == known.n_layers() && !config.contains_key(SCHEDULE);
    match COUNTS.into_iter().find(|key| config.contains_key(*key)) {
        Some(key) if plain && unshared => {
            config.insert(key.to_owned(), found.n_layers().into());
        }
        _ => {
            config.insert(SCHEDULE.to_owned(), json!(found.schedule));
            config.insert(AFFINE.to_owned(), json!(found.affine));
            config.insert(WINDOWS.to_owned(), json!(found.attention.windows));
            let family = config.get("model_type").and_then(Value::as_str).unwrap_or_default();
            let name = format!("{PREFIX}{}", family_name(family));
            config.insert("model_type".to_owned(), name.into());
        }
    }
}

/// Where an affine block is stored: `sixfold.blocks.{i}.weight`, `[out, in]`, and `bias`.
pub(super) fn source(path: &str) -> Option<Source> {
    let (index, leaf) = path.strip_prefix("blocks.")?.split_once('.')?;
    let known = matches!(leaf, "weight" | "bias") && index.bytes().all(|b| b.is_ascii_digit());
    known.then(|| Source {
        name: format!("sixfold.{path}"),
        transposed: leaf == "weight",
        part: Part::All,
    })
}
