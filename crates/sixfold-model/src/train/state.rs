//! Where a training stands.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, Result};

/// Where a training stands after a step: enough, with parameters and moments, to go on as if it
/// had never stopped.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TrainState {
    /// Steps taken.
    pub step: u64,
    /// The running epoch, from 0.
    pub epoch: u64,
    /// Examples of the running epoch that were seen.
    pub position: usize,
    /// Losses of the running epoch, each times its weight, summed.
    #[serde(with = "exact")]
    pub loss_sum: f64,
    /// Their weights, summed.
    #[serde(with = "exact")]
    pub weight_sum: f64,
    /// Mean losses of the epochs that are over.
    #[serde(with = "exact_list")]
    pub epoch_losses: Vec<f64>,
}

impl TrainState {
    /// The mean loss of the running epoch so far; `None` at its beginning.
    pub fn running_loss(&self) -> Option<f64> {
        (self.weight_sum > 0.0).then(|| self.loss_sum / self.weight_sum)
    }
}

/// The first setting in which two descriptions differ, as an error.
pub(super) fn same_settings(path: &Path, saved: &Value, current: &Value) -> Result<()> {
    // Numbers go through text once, as those of the file did.
    let current: Value = serde_json::from_str(&current.to_string())
        .map_err(|error| Error::Malformed { path: path.to_owned(), what: error.to_string() })?;
    match difference("", Some(saved), Some(&current)) {
        None => Ok(()),
        Some((key, saved, current)) => {
            Err(Error::Resume { path: path.to_owned(), key, saved, current })
        }
    }
}

fn difference(
    key: &str,
    saved: Option<&Value>,
    current: Option<&Value>,
) -> Option<(String, String, String)> {
    let below = |name: &str| {
        if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") }
    };
    match (saved, current) {
        (saved, current) if saved == current => None,
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            keys.into_iter().find_map(|name| difference(&below(name), a.get(name), b.get(name)))
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => (0..a.len().max(b.len()))
            .find_map(|i| difference(&below(&i.to_string()), a.get(i), b.get(i))),
        (saved, current) => {
            let text = |value: Option<&Value>| {
                value.map_or_else(|| "nothing".to_owned(), |value| value.to_string())
            };
            Some((key.to_owned(), text(saved), text(current)))
        }
    }
}

/// A number as text in Rust's shortest form, which reads back to the same bits; JSON parsers
/// may be off by the last one.
mod exact {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{value:?}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// The same for a list.
mod exact_list {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(
        values: &[f64],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(|value| format!("{value:?}")))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<f64>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| text.parse().map_err(de::Error::custom)).collect()
    }
}
