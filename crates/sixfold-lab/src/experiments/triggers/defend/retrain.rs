//! Training again with triggers in the examples, and searching anew.

use anyhow::Result;
use sixfold_triggers::{AugmentConfig, Victim, augment};

use super::super::ground::{Ground, examples};
use super::super::hunt::Found;
use super::super::splits::Parts;
use super::super::victims;
use super::config::DefendConfig;
use crate::context::Context;
use crate::data::Labelled;

/// Examples with one of the triggers before them, and their own label.
///
/// # Errors
/// Texts that leave no room.
pub(super) fn lessons(
    ground: &Ground,
    parts: &Parts,
    found: &[Found],
    config: &DefendConfig,
) -> Result<Vec<Labelled>> {
    let rows = parts.lessons(config.training.max_train);
    let encoded = examples(&ground.ready, rows, config.length)?;
    let labels: Vec<usize> = rows.iter().map(Labelled::class).collect();
    let triggers: Vec<Vec<u32>> = found.iter().map(|one| one.ids.clone()).collect();
    let picked = AugmentConfig {
        share: config.augment_share,
        max_tokens: ground.ready.victim.max_tokens(),
        seed: config.training.seed,
        ..AugmentConfig::default()
    };
    let added = augment(&encoded, &labels, &triggers, &picked)?.into_iter();
    Ok(added
        .map(|one| {
            let Labelled { text, pair, label } = rows[one.row].clone();
            Labelled { text: format!("{} {text}", found[one.trigger].text), pair, label }
        })
        .collect())
}

/// The victim that learned from these as well.
///
/// # Errors
/// A signal: the training goes on with a later run.
pub(super) fn retrained(
    parts: &Parts,
    added: &[Labelled],
    config: &DefendConfig,
    cx: &Context,
) -> Result<Ground> {
    let ready = victims::ready(&config.victim.source(), parts, added, &config.training, cx)?;
    Ground::new(ready, parts, &config.filter, config.length)
}
