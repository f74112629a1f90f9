//! Where the states of a training come from, and the steps that names tell.

use std::fmt;

use serde::de::{SeqAccess, Visitor, value::SeqAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::config::Problem;
use crate::experiments::profile::ModelRef;

/// Where the states of a training come from.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Checkpoints {
    /// From a training within the run: `"train"`.
    #[default]
    Train,
    /// From directories whose names say the step: `["…/step1000", …]`.
    Dirs(Vec<ModelRef>),
}

impl Serialize for Checkpoints {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Train => "train".serialize(to),
            Self::Dirs(dirs) => dirs.serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for Checkpoints {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct WordOrList;
        impl<'de> Visitor<'de> for WordOrList {
            type Value = Checkpoints;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"train\", or a list of directories")
            }
            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Checkpoints, E> {
                match word {
                    "train" => Ok(Checkpoints::Train),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(word), &self)),
                }
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Checkpoints, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(Checkpoints::Dirs)
            }
        }
        from.deserialize_any(WordOrList)
    }
}

/// The step that a name tells: the number after its last `step` or `checkpoint`, with `k` and `m`
/// for thousands and millions.
///
/// ```
/// use sixfold_lab::experiments::geometry::training::step_of;
///
/// assert_eq!(step_of("step1000"), Some(1000));
/// assert_eq!(step_of("global_step1000"), Some(1000));
/// assert_eq!(step_of("checkpoint-500"), Some(500));
/// assert_eq!(step_of("TinyLlama-1.1B-step-50K-105b"), Some(50_000));
/// assert_eq!(step_of("pythia-70m"), None);
/// ```
pub fn step_of(name: &str) -> Option<u64> {
    let lower = name.to_ascii_lowercase();
    let ends = ["step", "checkpoint"].into_iter().filter_map(|word| {
        let at = lower.rfind(word)?;
        Some(at + word.len())
    });
    let rest = &lower[ends.max()?..];
    let rest = rest.trim_start_matches(['-', '_', '=']);
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let number: u64 = rest[..digits].parse().ok()?;
    let mut after = rest[digits..].chars();
    let factor = match (after.next(), after.next().is_some_and(char::is_alphanumeric)) {
        (Some('k'), false) => 1000,
        (Some('m'), false) => 1_000_000,
        _ => 1,
    };
    number.checked_mul(factor)
}

/// What is wrong with a list of directories.
pub(super) fn dir_problems(dirs: &[ModelRef]) -> Vec<Problem> {
    let mut problems = Vec::new();
    if dirs.is_empty() {
        problems.push(Problem::new("checkpoints", "is empty; `train` is the other choice"));
    }
    let mut known: Vec<(u64, String)> = Vec::new();
    for dir in dirs {
        let name = dir.name();
        let Some(step) = step_of(&name) else {
            let message = format!(
                "`{name}` names no step such as step1000; name it: {{ dir = …, name = \"step1000\" }}"
            );
            problems.push(Problem::new("checkpoints", message));
            continue;
        };
        if let Some((_, other)) = known.iter().find(|(at, _)| *at == step) {
            let message = format!("`{other}` and `{name}` are both of step {step}");
            problems.push(Problem::new("checkpoints", message));
        }
        known.push((step, name));
    }
    problems
}
