//! The vote over deletions: what it answers, at what cost, and what it certifies.

use anyhow::Result;
use serde::{Deserialize, Serialize};
use sixfold_triggers::{EraseVote, Example, Field, Outcomes, Placement};

use super::super::ground::Ground;
use super::super::hunt::{Found, Tried};

/// What the vote does without a trigger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Standing {
    pub(super) classes: Vec<usize>,
    pub(super) accuracy: f64,
    /// Forwards a text.
    pub(super) cost: f64,
    /// Share of the answers that no trigger of at most 1, 2, … tokens can change, and share that are right besides.
    pub(super) certified: Vec<[f64; 2]>,
}

/// The examples that report with a trigger in them.
///
/// # Errors
/// None of examples that have a text.
pub(super) fn attacked(ground: &Ground, ids: &[u32]) -> Result<Vec<Example>> {
    let one = |example: &Example| Ok(example.triggered(ids, Field::First, Placement::Front)?);
    ground.dev.iter().map(one).collect()
}

/// Votes on clean texts, with their certificates.
///
/// # Errors
/// What the victim refuses.
pub(super) fn standing(ground: &Ground, vote: &EraseVote) -> Result<Standing> {
    let victim = &ground.ready.victim;
    let verdicts = vote.predict(victim, &ground.dev)?;
    let certificates = vote.certify(victim, &ground.dev)?;
    let n = ground.dev.len() as f64;
    let classes = verdicts.classes();
    let right = classes.iter().zip(&ground.gold).filter(|(class, gold)| class == gold).count();
    let certified = (1..=vote.config().length).map(|length| {
        let holding = certificates.iter().zip(&ground.gold);
        let holding = holding.filter(|(certificate, _)| certificate.holds_for(length));
        let (all, right) = holding.fold((0, 0), |(all, right), (certificate, gold)| {
            (all + 1, right + usize::from(certificate.class == *gold))
        });
        [f64::from(all) / n, right as f64 / n]
    });
    let certified = certified.collect();
    Ok(Standing { accuracy: right as f64 / n, cost: verdicts.cost.0 / n, certified, classes })
}

/// How often a trigger changes what the vote answers.
///
/// # Errors
/// What the victim refuses.
pub(super) fn tried(
    ground: &Ground,
    vote: &EraseVote,
    standing: &Standing,
    found: &Found,
) -> Result<Tried> {
    let attacked = attacked(ground, &found.ids)?;
    let classes = vote.predict(&ground.ready.victim, &attacked)?.classes();
    let (n_classes, clean) = (ground.scores.ncols(), standing.classes.clone());
    Tried::new(&Outcomes::from_classes(n_classes, clean, classes, Some(&ground.gold))?)
}
