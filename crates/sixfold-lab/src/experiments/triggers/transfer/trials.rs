//! Triggers of one classifier, tried on others.

use anyhow::Result;
use serde::{Deserialize, Serialize};
use sixfold_triggers::{Error, Proxy, Split, Trial};

use super::super::ground::Ground;
use super::super::hunt::{self, Found};
use super::super::keys::Rules;
use super::super::methods::Setting;
use crate::context::Context;
use crate::table::{Cell, Table};

/// Tokens that a trigger may have for a model that it was not found on.
pub(super) const ROOM: usize = 32;

/// A trigger on a target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Carried {
    /// Tokens that its text is to the target.
    pub(super) tokens: usize,
    /// Which of the examples that report it fools.
    pub(super) fooled: Vec<bool>,
}

/// All searches on one ground, each a cell.
pub(super) fn found(
    ground: &Ground,
    settings: &[Setting],
    rules: &Rules<'_>,
    name: &str,
    cx: &mut Context,
) -> Result<Vec<Found>> {
    let one = |setting: &Setting| hunt::cell(ground, *setting, rules, name, cx);
    settings.iter().map(one).collect()
}

/// A trigger on another classifier: decoded to text, which is encoded with the target's tokenizer. Its tokens there
/// can be more or fewer. On the classifier that it was found on, its tokens stay what they are.
///
/// # Errors
/// A text that is no token to the target, or more than there is room for.
pub(super) fn carry(
    found: &Found,
    target: &Ground,
    same: bool,
    key: &str,
    cx: &mut Context,
) -> Result<Carried> {
    cx.cell(key, |_| {
        let ids = if same { found.ids.clone() } else { target.ready.ids_of(&found.text)? };
        if ids.is_empty() || ids.len() > ROOM {
            return Err(Error::Mismatch {
                what: "the tokens of a trigger on another model",
                expected: format!("1 to {ROOM}"),
                found: ids.len().to_string(),
            }
            .into());
        }
        Ok(Carried { tokens: ids.len(), fooled: target.outcomes(&ids)?.fooled() })
    })
}

/// A trial between models of one task.
pub(super) fn between_models(
    [source, target]: [&str; 2],
    task: &str,
    found: &Found,
    carried: &Carried,
    seed: u64,
) -> Trial {
    Trial {
        source: source.to_owned(),
        target: target.to_owned(),
        task: task.to_owned(),
        method: found.setting.method.name().to_owned(),
        setting: found.setting.name(),
        seed,
        fooled: carried.fooled.clone(),
        proxy: None,
    }
}

/// A trial between tasks of one architecture: what chooses are some examples of the task that the trigger was found
/// on, what scores is all that reports of the other.
///
/// # Errors
/// None where both have examples.
pub(super) fn between_tasks(
    [source, target]: [&str; 2],
    found: &Found,
    carried: &Carried,
    select: usize,
    seed: u64,
) -> Result<Trial> {
    let all = &found.dev.fooled;
    let chosen = match all.len() > select {
        true => Split::draw(all.len(), select, 0)?.selecting().iter().map(|&i| all[i]).collect(),
        false => all.clone(),
    };
    Ok(Trial {
        proxy: Some(Proxy { task: source.to_owned(), fooled: chosen }),
        ..between_models([source, target], target, found, carried, seed)
    })
}

/// All trials of a seed as a table.
pub(super) fn table(name: &str, title: &str, rows: &[(Trial, String, usize)], seed: u64) -> Table {
    let heads =
        ["source", "target", "method", "setting", "trigger", "tokens there", "fooling rate"];
    let title = format!("{title}, seed {seed}");
    let mut table = Table::new(&format!("{name}_seed_{seed}"), title, heads);
    for (trial, text, tokens) in rows {
        let rate = trial.fooled.iter().filter(|one| **one).count() as f64;
        table.push([
            Cell::from(trial.source.as_str()),
            Cell::from(trial.target.as_str()),
            Cell::from(trial.method.as_str()),
            Cell::from(trial.setting.as_str()),
            Cell::from(text.as_str()),
            Cell::from(*tokens),
            Cell::from(rate / trial.fooled.len().max(1) as f64),
        ]);
    }
    table
}
