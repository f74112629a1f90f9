//! `adapter_config.json` of PEFT's LoRA.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::Lora;
use crate::{Error, Result, json};

/// Ways to begin a training that leave the base model as it was; after others, A and B do not fit it.
const SAME_BASE: [&str; 3] = ["gaussian", "eva", "orthogonal"];

/// Options of any value that say nothing about the update.
const HARMLESS: [&str; 17] = [
    "auto_mapping",
    "base_model_name_or_path",
    "corda_config",
    "ensure_weight_tying",
    "eva_config",
    "exclude_modules",
    "inference_mode",
    "layers_to_transform",
    "loftq_config",
    "lora_dropout",
    "megatron_core",
    "peft_type",
    "peft_version",
    "revision",
    "runtime_config",
    "target_modules",
    "task_type",
];

/// What is read of it.
pub(super) struct LoraConfig {
    pub(super) base_model_name_or_path: Option<String>,
    pub(super) fan_in_fan_out: bool,
    alpha: f64,
    rank: Option<u64>,
    alphas: Map<String, Value>,
    ranks: Map<String, Value>,
    rank_stabilised: bool,
}

impl LoraConfig {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let keys = json::read_object(path)?;
        let wrong = |key: &str, expected: &str| {
            let found = keys.get(key).unwrap_or(&Value::Null);
            Error::malformed(path, format!("`{key}` is {found}, expected {expected}"))
        };
        if keys.get("peft_type") != Some(&json!("LORA")) {
            return Err(wrong("peft_type", "\"LORA\""));
        }
        if let Some(key) = keys.iter().find_map(|(key, value)| unsupported(key, value)) {
            let what = format!("the option `{key}` is {}, which is not supported", keys[key]);
            return Err(Error::malformed(path, what));
        }
        let flag = |key: &str| match keys.get(key) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(wrong(key, "true or false")),
        };
        let pattern = |key: &str| match keys.get(key) {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Object(pattern)) => {
                let numbers = pattern.values().all(Value::is_number);
                let plain = pattern.keys().all(|pattern| plain(pattern).is_some());
                let expected = "numbers by names of modules, and no regular expressions";
                if numbers && plain { Ok(pattern.clone()) } else { Err(wrong(key, expected)) }
            }
            Some(_) => Err(wrong(key, "an object")),
        };
        Ok(Self {
            base_model_name_or_path: keys
                .get("base_model_name_or_path")
                .and_then(Value::as_str)
                .map(str::to_owned),
            fan_in_fan_out: flag("fan_in_fan_out")?,
            alpha: match keys.get("lora_alpha") {
                // PEFT's default.
                None => 8.0,
                Some(alpha) => alpha.as_f64().ok_or_else(|| wrong("lora_alpha", "a number"))?,
            },
            rank: match keys.get("r") {
                None => None,
                Some(rank) => Some(rank.as_u64().ok_or_else(|| wrong("r", "a whole number"))?),
            },
            alphas: pattern("alpha_pattern")?,
            ranks: pattern("rank_pattern")?,
            rank_stabilised: flag("use_rslora")?,
        })
    }

    /// The rank that a module should have, where the settings say so.
    pub(super) fn rank(&self, module: &str) -> Option<u64> {
        match first_match(&self.ranks, module) {
            Some(rank) => rank.as_u64(),
            None => self.rank,
        }
    }

    /// What B·A of a module is multiplied by.
    pub(super) fn scaling(&self, module: &str, rank: usize) -> f32 {
        let alpha = first_match(&self.alphas, module).and_then(Value::as_f64).unwrap_or(self.alpha);
        let rank = rank as f64;
        (alpha / if self.rank_stabilised { rank.sqrt() } else { rank }) as f32
    }
}

/// The key, if the option changes the update in a way that is not known here.
fn unsupported<'a>(key: &'a str, value: &Value) -> Option<&'a str> {
    const READ: [&str; 6] =
        ["alpha_pattern", "fan_in_fan_out", "lora_alpha", "r", "rank_pattern", "use_rslora"];
    if READ.contains(&key) || HARMLESS.contains(&key) {
        return None;
    }
    let changes = match value {
        // Numbers alone switch nothing on.
        Value::Null | Value::Bool(false) | Value::Number(_) => false,
        Value::Bool(true) => key != "init_lora_weights",
        Value::String(word) if key == "bias" => word != "none",
        Value::String(word) if key == "init_lora_weights" => !SAME_BASE.contains(&word.as_str()),
        Value::String(_) => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(items) => !items.is_empty(),
    };
    changes.then_some(key)
}

/// The value of the first pattern that the name of a module ends with, as PEFT looks for it.
fn first_match<'a>(patterns: &'a Map<String, Value>, module: &str) -> Option<&'a Value> {
    let matches = |pattern: &str| {
        let Some((whole, name)) = plain(pattern) else { return false };
        module
            .strip_suffix(name.as_str())
            .is_some_and(|before| before.is_empty() || (!whole && before.ends_with('.')))
    };
    patterns.iter().find(|(pattern, _)| matches(pattern)).map(|(_, value)| value)
}

/// A pattern that is a name, and whether it is the whole name; nothing for other regular expressions.
fn plain(pattern: &str) -> Option<(bool, String)> {
    let (whole, name) = match pattern.strip_prefix('^') {
        Some(name) => (true, name),
        None => (false, pattern),
    };
    let name = name.strip_suffix('$').unwrap_or(name).replace("\\.", ".");
    (!name.contains(|c: char| r"\*+?()[]{}|^$".contains(c))).then_some((whole, name))
}

/// The settings of a file to be written.
pub(super) fn written(lora: &Lora) -> Value {
    // α = scaling·r; the commonest pair stands for all that are not listed.
    let pairs = lora
        .layers()
        .iter()
        .map(|(name, layer)| (name, layer.rank(), f64::from(layer.scaling) * layer.rank() as f64));
    let mut counts: BTreeMap<(usize, u64), usize> = BTreeMap::new();
    for (_, rank, alpha) in pairs.clone() {
        *counts.entry((rank, alpha.to_bits())).or_default() += 1;
    }
    // The smallest of those that are equally common.
    let commonest = counts.iter().rev().max_by_key(|(_, count)| **count).map(|(pair, _)| *pair);
    let (rank, alpha) = commonest.unwrap_or((1, 1.0_f64.to_bits()));
    let mut ranks = Map::new();
    let mut alphas = Map::new();
    for (name, found, scaled) in pairs {
        if found != rank {
            ranks.insert(name.clone(), json!(found));
        }
        if scaled.to_bits() != alpha {
            alphas.insert(name.clone(), number(scaled));
        }
    }
    json!({
        "peft_type": "LORA",
        "task_type": null,
        "base_model_name_or_path": lora.base_model_name_or_path,
        "inference_mode": true,
        "r": rank,
        "lora_alpha": number(f64::from_bits(alpha)),
        "lora_dropout": 0.0,
        "target_modules": lora.layers().keys().collect::<Vec<_>>(),
        "rank_pattern": ranks,
        "alpha_pattern": alphas,
        "bias": "none",
        "fan_in_fan_out": lora.fan_in_fan_out,
        "use_rslora": false,
        "modules_to_save": null,
    })
}

/// A whole number without a fraction, as PEFT writes it.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e9 { json!(value as i64) } else { json!(value) }
}
