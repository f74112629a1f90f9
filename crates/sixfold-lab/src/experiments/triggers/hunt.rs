//! One search as a part of a run that can be stopped in the middle.

use std::ops::ControlFlow;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use sixfold_model::Seed;
use sixfold_triggers::{
    BootstrapConfig, Error, Forwards, Ledger, Search, SearchState, Stop, Summary, area_under_best,
    mean_interval, round_trip,
};

use super::ground::Ground;
use super::keys::{Rules, SearchKeys};
use super::methods::Setting;
use crate::context::Context;
use crate::error::doing;
use crate::record::Labels;

/// What a search found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Found {
    pub(super) setting: Setting,
    pub(super) ids: Vec<u32>,
    pub(super) text: String,
    /// Whether the text gives the same tokens.
    pub(super) typed: bool,
    pub(super) updates: usize,
    pub(super) stop: Stop,
    pub(super) ledger: Ledger,
    /// The best fooling rate on the monitor against the forwards spent.
    pub(super) curve: Vec<[f64; 2]>,
    /// The area under it, over the budget.
    pub(super) area: f64,
    /// On the slice of the search.
    pub(super) search: Tried,
    /// On what reports.
    pub(super) dev: Tried,
}

/// What a trigger does to some examples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Tried {
    pub(super) summary: Summary,
    pub(super) fooled: Vec<bool>,
    /// 95 % of the fooling rate, over examples.
    pub(super) ci95: [f64; 2],
}

impl Tried {
    /// Figures of outcomes.
    ///
    /// # Errors
    /// None of outcomes that have an example.
    pub(super) fn new(outcomes: &sixfold_triggers::Outcomes) -> Result<Self> {
        let fooled = outcomes.fooled();
        let flags: Vec<f64> = fooled.iter().map(|&one| f64::from(u8::from(one))).collect();
        let interval = mean_interval(&flags, &BootstrapConfig::default())?;
        let ci95 = [interval.low, interval.high];
        Ok(Self { summary: outcomes.summary(), fooled, ci95 })
    }
}

/// A search, or what is left of it; `key` names it within the run.
///
/// # Errors
/// A signal: the state is kept, and a later run goes on from it to the very bits.
pub(super) fn hunt(
    ground: &Ground,
    setting: Setting,
    rules: &Rules<'_>,
    key: &str,
    cx: &Context,
) -> Result<Found> {
    let victim = &ground.ready.victim;
    let seed = match setting.restart {
        // All methods see the same batches.
        0 => Seed::new(cx.seed()),
        restart => Seed::new(cx.seed()).derive(&format!("restart {restart}")),
    };
    let config = rules.search.search(rules.length, rules.budget, seed.value(), ground.first());
    let (examples, clean) = (&ground.search, ground.clean.clone());
    let reproduces = round_trip(&ground.ready.tokenizer);
    let mut search =
        Search::with_clean(config, examples, clean, ground.filtered.allowed(), victim)?;
    if rules.filter.round_trip {
        search = search.with_round_trip(&reproduces);
    }
    let path = state_of(key, cx);
    let mut state = match path.is_file() {
        true => SearchState::load(&path)?,
        false => search.start(),
    };
    let place = place(&setting, ground);
    let mut task = cx.progress().task(key, expected(rules), "updates");
    task.begin_at(state.updates() as u64);
    let mut failure = None;
    let mut scorer = setting.scorer(victim)?;
    let outcome = search.run(&mut state, scorer.as_mut(), |state| {
        task.advance(1);
        let kept = log(state, &place, cx).and_then(|()| save(state, &path));
        match (kept, cx.interrupt().signal()) {
            (Ok(()), None) => ControlFlow::Continue(()),
            (kept, _) => {
                failure = kept.err();
                ControlFlow::Break(())
            }
        }
    });
    drop(task);
    if let (Err(Error::Stopped { .. }), failure) = (&outcome, failure) {
        failure.map_or(Ok(()), Err)?;
        cx.check_interrupt()?;
    }
    let outcome = outcome.with_context(|| format!("{key} on {}", ground.name()))?;
    let points: Vec<(Forwards, f64)> = outcome
        .history
        .iter()
        .filter_map(|update| Some((update.ledger.spent(), update.watched?.share())))
        .collect();
    let area = area_under_best(&points, Forwards(rules.budget))?;
    let n_classes = ground.scores.ncols();
    let clean = ground.clean.classes.clone();
    let seen = sixfold_triggers::Outcomes::from_classes(n_classes, clean, outcome.classes, None)?;
    let ids = outcome.trigger.ids;
    Ok(Found {
        setting,
        text: ground.ready.text_of(&ids)?,
        typed: reproduces(&ids),
        updates: outcome.history.len(),
        stop: outcome.stop,
        ledger: outcome.ledger,
        curve: points.iter().map(|(Forwards(spent), rate)| [*spent, *rate]).collect(),
        area,
        search: Tried::new(&seen)?,
        dev: Tried::new(&ground.outcomes(&ids)?)?,
        ids,
    })
}

/// Forgets the state of a search once what follows from it is in a cell.
pub(super) fn forget(key: &str, cx: &Context) -> Result<()> {
    let path = state_of(key, cx);
    if path.is_file() {
        std::fs::remove_file(&path).with_context(|| doing("remove", &path))?;
    }
    Ok(())
}

/// A search as a cell, its state with it.
///
/// # Errors
/// Those of [`hunt`].
pub(super) fn cell(
    ground: &Ground,
    setting: Setting,
    rules: &Rules<'_>,
    key: &str,
    cx: &mut Context,
) -> Result<Found> {
    let key = format!("{key} {} {}", setting.method, setting.name());
    let found = cx.cell(&key, |cx| hunt(ground, setting, rules, &key, cx))?;
    forget(&key, cx)?;
    Ok(found)
}

fn place(setting: &Setting, ground: &Ground) -> Labels {
    let mut place = setting.label(crate::record::Metric::new("", 0.0)).place;
    place.set("victim", ground.name());
    place
}

fn state_of(key: &str, cx: &Context) -> PathBuf {
    let slug = key.replace(|c: char| !(c.is_ascii_alphanumeric() || c == '-'), "_");
    cx.checkpoints().join(format!("search-{slug}.json"))
}

fn save(state: &SearchState, path: &std::path::Path) -> Result<()> {
    if let Some(dir) = path.parent() {
        crate::atomic::create_dir(dir)?;
    }
    Ok(state.save(path)?)
}

fn log(state: &SearchState, place: &Labels, cx: &Context) -> Result<()> {
    let Some(update) = state.history().last() else { return Ok(()) };
    let step = state.updates() as u64;
    if let Some(rate) = update.batch {
        cx.log(step, "batch_fooling_rate", place, rate.share())?;
    }
    cx.log(step, "forwards", place, state.ledger().spent().0)
}

/// Updates that the budget will about allow, for the bar.
fn expected(rules: &Rules<'_>) -> u64 {
    let SearchKeys { batch, top_k, updates, monitor, racing, .. } = rules.search;
    let share = if *racing { 0.525 } else { 1.0 };
    let tried = share * (batch * top_k * rules.length) as f64;
    let one = tried + 3.0 * *batch as f64 + *monitor as f64;
    (rules.budget / one).clamp(1.0, *updates as f64) as u64
}
