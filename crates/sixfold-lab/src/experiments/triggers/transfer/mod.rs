//! `triggers/transfer`: whether a trigger of one classifier fools another, and what of it is selection.

mod config;
mod gains;
mod trials;
mod words;

pub use config::TransferConfig;

use anyhow::Result;
use sixfold_triggers::{Table, Trial};

use super::ground::Ground;
use super::methods::{Method, Setting, layers, settings};
use super::splits::Parts;
use super::victims::{self, Source};
use crate::config::ExperimentFile;
use crate::context::Context;
use crate::data::{Input, SentenceTask};
use crate::estimate::Work;
use crate::experiment::Experiment;
use crate::experiments::experiment_file;
use crate::present::Presentation;
use crate::record::{Better, Metric, Results};
use gains::Across;
use trials::ROOM;

/// The experiment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Transfer;

impl Experiment for Transfer {
    type Config = TransferConfig;

    fn name(&self) -> &'static str {
        "triggers/transfer"
    }

    fn title(&self) -> &'static str {
        "triggers of one classifier on another"
    }

    fn file(&self) -> ExperimentFile {
        experiment_file!("triggers/transfer")
    }

    fn inputs(&self, config: &TransferConfig) -> Vec<Input> {
        config.inputs()
    }

    fn work(&self, config: &TransferConfig) -> Vec<Work> {
        let victims = config.victims.len() + config.tasks.len();
        let searches = format!("{} example-forwards each", config.budget);
        vec![
            config.training.work(victims),
            Work::other(config.methods.len(), "kind of search", &searches),
        ]
    }

    fn run(&self, config: &TransferConfig, cx: &mut Context) -> Result<()> {
        if config.victims.len() > 1 {
            between_models(config, cx)?;
        }
        if config.tasks.len() > 1 {
            between_tasks(config, cx)?;
        }
        cx.forget_checkpoints()
    }

    fn present(&self, config: &TransferConfig, results: &Results) -> Presentation {
        words::present(config, results)
    }
}

/// The searches on a victim: every other method has as many as the layerwise one.
fn searches(config: &TransferConfig, ground: &Ground) -> Vec<Setting> {
    let layers = layers(&config.layers, ground.ready.victim.n_layers());
    settings(&config.methods, &layers, &config.q, layers.len() * config.q.len())
}

fn ground(
    source: &Source,
    task: SentenceTask,
    config: &TransferConfig,
    cx: &mut Context,
) -> Result<Ground> {
    let TrainingAndSearch { held_out, seed } = TrainingAndSearch::of(config);
    let parts = Parts::read(task, &config.glue, held_out, config.max_dev, seed, cx)?;
    let ready = victims::ready(source, &parts, &[], &config.training, cx)?;
    let ground = Ground::new(ready, &parts, &config.filter, ROOM)?;
    let accuracy = Metric::new("accuracy", ground.accuracy()?).better(Better::Higher);
    let accuracy = accuracy.at("victim", ground.name()).at("task", task.name());
    // A victim can stand in both parts of the run.
    if !cx.has(&accuracy) {
        cx.record(accuracy);
    }
    cx.note(format!(
        "{} on {task}: model SHA-256 {}, data SHA-256 {}; {} tokens may be tried.",
        ground.name(),
        ground.ready.hash,
        ground.data,
        ground.filtered.remaining()
    ));
    Ok(ground)
}

/// The split that all victims of a task share.
struct TrainingAndSearch {
    held_out: usize,
    seed: u64,
}

impl TrainingAndSearch {
    fn of(config: &TransferConfig) -> Self {
        Self { held_out: config.search.examples, seed: config.training.seed }
    }
}

/// Every victim's triggers on every victim.
fn between_models(config: &TransferConfig, cx: &mut Context) -> Result<()> {
    let sources: Vec<Source> = config.victims.iter().map(|name| Source::named(name)).collect();
    let grounds = sources
        .iter()
        .map(|source| ground(source, config.task, config, cx))
        .collect::<Result<Vec<Ground>>>()?;
    let (task, seed) = (config.task.name(), cx.seed());
    let mut rows = Vec::new();
    for (s, source) in grounds.iter().enumerate() {
        let settings = searches(config, source);
        let name = format!("{} {task}", source.name());
        for found in trials::found(source, &settings, &config.rules(), &name, cx)? {
            for (t, target) in grounds.iter().enumerate() {
                let setting = found.setting;
                let key =
                    format!("{name} {} {} on {}", setting.method, setting.name(), target.name());
                let carried = trials::carry(&found, target, s == t, &key, cx)?;
                let pair = [source.name(), target.name()];
                let trial = trials::between_models(pair, task, &found, &carried, seed);
                rows.push((trial, found.text.clone(), carried.tokens));
            }
        }
    }
    conclude(Across::Models, rows, config, cx)
}

/// Every task's triggers on every other task, for one architecture.
fn between_tasks(config: &TransferConfig, cx: &mut Context) -> Result<()> {
    let source = Source::Recipe(config.architecture);
    let grounds = config
        .tasks
        .iter()
        .map(|task| Ok((task.name(), ground(&source, *task, config, cx)?)))
        .collect::<Result<Vec<(&str, Ground)>>>()?;
    let seed = cx.seed();
    let mut rows = Vec::new();
    for (task, source) in &grounds {
        let settings = searches(config, source);
        let name = format!("{} {task}", source.name());
        for found in trials::found(source, &settings, &config.rules(), &name, cx)? {
            for (other, target) in grounds.iter().filter(|(other, _)| other != task) {
                let setting = found.setting;
                let key = format!("{name} {} {} on {other}", setting.method, setting.name());
                let carried = trials::carry(&found, target, false, &key, cx)?;
                let pair = [*task, *other];
                let trial = trials::between_tasks(pair, &found, &carried, config.select, seed)?;
                rows.push((trial, found.text.clone(), carried.tokens));
            }
        }
    }
    conclude(Across::Tasks, rows, config, cx)
}

/// The table of all trials, and the gains.
fn conclude(
    across: Across,
    rows: Vec<(Trial, String, usize)>,
    config: &TransferConfig,
    cx: &mut Context,
) -> Result<()> {
    let title = format!("All triggers between {}", across.name());
    cx.table(&trials::table(&format!("trials_{}", across.name()), &title, &rows, cx.seed()))?;
    let trials: Vec<Trial> = rows.into_iter().map(|(trial, ..)| trial).collect();
    let single = common(&trials);
    if single.is_none() {
        cx.note(format!(
            "Between {}: no layer and q are those of all victims, so nothing stands for luat unchosen.",
            across.name()
        ));
    }
    gains::record(
        &Table::new(trials)?,
        across,
        (&config.methods, single.as_deref()),
        config.select,
        cx,
    )
}

/// The first setting of the layerwise method that every source has.
fn common(trials: &[Trial]) -> Option<String> {
    let luat = || trials.iter().filter(|trial| trial.method == Method::Luat.name());
    let has = |source: &str, setting: &str| {
        luat().any(|trial| trial.source == source && trial.setting == setting)
    };
    let everywhere = |trial: &&Trial| luat().all(|other| has(&other.source, &trial.setting));
    luat().find(everywhere).map(|trial| trial.setting.clone())
}
