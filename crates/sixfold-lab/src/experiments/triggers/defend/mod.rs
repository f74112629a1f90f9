//! `triggers/defend`: what detects triggers, what undoes them, and what is certain.

mod config;
mod detectors;
mod retrain;
mod vote;
mod words;

pub use config::{DefendConfig, LanguageTexts};

use anyhow::Result;
use sixfold_triggers::{EraseVote, EraseVoteConfig};

use super::audit::describe;
use super::ground::Ground;
use super::hunt::{self, Found, Tried};
use super::methods::{Setting, settings};
use super::splits::Parts;
use super::victims;
use crate::config::ExperimentFile;
use crate::context::Context;
use crate::data::Input;
use crate::estimate::Work;
use crate::experiment::Experiment;
use crate::experiments::experiment_file;
use crate::present::Presentation;
use crate::record::{Better, Metric, Results};
use crate::table::{Cell, Table};
use detectors::{Detected, Detectors};
use vote::Standing;

/// The experiment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Defend;

impl Experiment for Defend {
    type Config = DefendConfig;

    fn name(&self) -> &'static str {
        "triggers/defend"
    }

    fn title(&self) -> &'static str {
        "detectors, votes and retraining against triggers"
    }

    fn file(&self) -> ExperimentFile {
        experiment_file!("triggers/defend")
    }

    fn inputs(&self, config: &DefendConfig) -> Vec<Input> {
        config.inputs()
    }

    fn work(&self, config: &DefendConfig) -> Vec<Work> {
        let searches = format!("{} example-forwards each", config.budget);
        let victims = 1 + usize::from(config.retrain);
        vec![
            config.training.work(victims),
            Work::other(config.methods.len(), "kind of search", &searches),
        ]
    }

    fn run(&self, config: &DefendConfig, cx: &mut Context) -> Result<()> {
        run(config, cx)
    }

    fn present(&self, config: &DefendConfig, results: &Results) -> Presentation {
        words::present(config, results)
    }
}

/// Triggers first, then every defence against them.
fn run(config: &DefendConfig, cx: &mut Context) -> Result<()> {
    let (search, training) = (&config.search, &config.training);
    let parts =
        Parts::read(config.task, &config.glue, search.examples, config.max_dev, training.seed, cx)?;
    let ready = victims::ready(&config.victim.source(), &parts, &[], training, cx)?;
    let ground = Ground::new(ready, &parts, &config.filter, config.length)?;
    describe(&ground, &config.filter.said(), config.budget, cx)?;
    let settings = searches(config, &ground);
    let found = hunts(&ground, &settings, config, "search", cx)?;
    record_rates(&found.iter().map(|one| (one, &one.dev)).collect::<Vec<_>>(), "none", None, cx);
    accuracy("none", ground.accuracy()?, cx);
    let vote = EraseVote::new(EraseVoteConfig { length: config.length, ..Default::default() })?;
    detect(&ground, &parts, config, &vote, &found, cx)?;
    erase(&ground, &vote, &found, cx)?;
    let fresh = match config.retrain {
        true => again(&parts, &ground, &settings, &found, config, cx)?,
        false => Vec::new(),
    };
    cx.table(&triggers(&found, &fresh, cx.seed()))?;
    cx.forget_checkpoints()
}

/// One search of each method; the layerwise one on the last layer where none is named.
fn searches(config: &DefendConfig, ground: &Ground) -> Vec<Setting> {
    let last = [ground.ready.victim.n_layers() - 1];
    let layers = if config.layers.is_empty() { &last[..] } else { &config.layers };
    settings(&config.methods, layers, &config.q, 1)
}

fn hunts(
    ground: &Ground,
    settings: &[Setting],
    config: &DefendConfig,
    name: &str,
    cx: &mut Context,
) -> Result<Vec<Found>> {
    let rules = config.rules();
    settings.iter().map(|setting| hunt::cell(ground, *setting, &rules, name, cx)).collect()
}

/// Every detector against every trigger.
fn detect(
    ground: &Ground,
    parts: &Parts,
    config: &DefendConfig,
    vote: &EraseVote,
    found: &[Found],
    cx: &mut Context,
) -> Result<()> {
    let all: Vec<Vec<Detected>> = cx.cell("detectors", |cx| {
        let detectors = Detectors::new(ground, parts, config, vote)?;
        let clean = detectors.clean()?;
        let one = |found: &Found| {
            cx.check_interrupt()?;
            detectors.detect(&clean, &vote::attacked(ground, &found.ids)?)
        };
        found.iter().map(one).collect()
    })?;
    for (found, detected) in found.iter().zip(&all) {
        for one in detected {
            for (name, [value, low, high]) in [("auroc", one.auroc), ("tpr_at_5fpr", one.tpr)] {
                let metric = Metric::new(name, value).ci95(Some([low, high]));
                let metric = metric.better(Better::Higher).at("defence", one.detector.as_str());
                cx.record(
                    metric
                        .at("trigger", found.setting.method.name())
                        .at("setting", found.setting.name()),
                );
            }
        }
    }
    let n = all.len() as f64;
    for (index, one) in all.first().into_iter().flatten().enumerate() {
        for (name, of) in [
            ("auroc", (|one: &Detected| one.auroc[0]) as fn(&Detected) -> f64),
            ("tpr_at_5fpr", |one: &Detected| one.tpr[0]),
        ] {
            let mean = all.iter().map(|detected| of(&detected[index])).sum::<f64>() / n;
            let metric = Metric::new(name, mean).better(Better::Higher);
            cx.record(metric.at("defence", one.detector.as_str()));
        }
    }
    Ok(())
}

/// The vote over deletions.
fn erase(ground: &Ground, vote: &EraseVote, found: &[Found], cx: &mut Context) -> Result<()> {
    let name = "erase-vote";
    let standing: Standing = cx.cell("vote", |_| vote::standing(ground, vote))?;
    accuracy(name, standing.accuracy, cx);
    cx.record(Metric::new("forwards", standing.cost).at("defence", name));
    for (index, [certified, right]) in standing.certified.iter().enumerate() {
        for (metric, value) in [("certified", *certified), ("certified_accuracy", *right)] {
            let metric = Metric::new(metric, value).better(Better::Higher);
            cx.record(metric.at("defence", name).at("length", index + 1));
        }
    }
    let mut tried = Vec::new();
    for one in found {
        let key = format!("vote {} {}", one.setting.method, one.setting.name());
        tried.push(cx.cell(&key, |_| vote::tried(ground, vote, &standing, one))?);
    }
    record_rates(&found.iter().zip(&tried).collect::<Vec<_>>(), name, None, cx);
    Ok(())
}

/// Trains again with the triggers in the examples; tries these once more, and searches anew.
fn again(
    parts: &Parts,
    before: &Ground,
    settings: &[Setting],
    found: &[Found],
    config: &DefendConfig,
    cx: &mut Context,
) -> Result<Vec<Found>> {
    let name = "retrain";
    let added = retrain::lessons(before, parts, found, config)?;
    let ground = retrain::retrained(parts, &added, config, cx)?;
    cx.note(format!(
        "Retrained on {} examples more, each with one of {} triggers before it: model SHA-256 {}.",
        added.len(),
        found.len(),
        ground.ready.hash
    ));
    accuracy(name, ground.accuracy()?, cx);
    let mut old = Vec::new();
    for one in found {
        let key = format!("retrained {} {}", one.setting.method, one.setting.name());
        let ids = ground.ready.ids_of(&one.text)?;
        old.push(cx.cell(&key, |_| Tried::new(&ground.outcomes(&ids)?))?);
    }
    record_rates(&found.iter().zip(&old).collect::<Vec<_>>(), name, Some("old"), cx);
    let fresh = hunts(&ground, settings, config, "retrained search", cx)?;
    let rates: Vec<(&Found, &Tried)> = fresh.iter().map(|one| (one, &one.dev)).collect();
    record_rates(&rates, name, Some("fresh"), cx);
    Ok(fresh)
}

fn accuracy(defence: &str, value: f64, cx: &mut Context) {
    let metric = Metric::new("accuracy", value).better(Better::Higher).at("defence", defence);
    cx.record(metric);
}

/// Fooling rates under a defence: of each trigger, and their mean. `search` says whose triggers they are where the
/// victim is another one.
fn record_rates(rates: &[(&Found, &Tried)], defence: &str, search: Option<&str>, cx: &mut Context) {
    let label = |metric: Metric| {
        let metric = metric.better(Better::Lower).at("defence", defence);
        search.map_or(metric.clone(), |search| metric.at("search", search))
    };
    for (found, tried) in rates {
        let (rate, setting) = (tried.summary.fooling_rate, found.setting);
        let metric = label(Metric::new("fooling_rate", rate).ci95(Some(tried.ci95)));
        cx.record(metric.at("trigger", setting.method.name()).at("setting", setting.name()));
    }
    let mean = rates.iter().map(|(_, tried)| tried.summary.fooling_rate).sum::<f64>();
    cx.record(label(Metric::new("fooling_rate", mean / rates.len().max(1) as f64)));
}

/// The triggers of a seed, before and after the training.
fn triggers(found: &[Found], fresh: &[Found], seed: u64) -> Table {
    let heads = ["victim", "method", "setting", "trigger", "fooling rate, dev"];
    let title = format!("The triggers, seed {seed}");
    let mut table = Table::new(&format!("triggers_seed_{seed}"), title, heads);
    for (victim, all) in [("as it was", found), ("retrained", fresh)] {
        for one in all {
            table.push([
                Cell::from(victim),
                Cell::from(one.setting.method.name()),
                Cell::from(one.setting.name()),
                Cell::from(one.text.as_str()),
                Cell::from(one.dev.summary.fooling_rate),
            ]);
        }
    }
    table
}
