//! `triggers/audit`: how often a universal trigger changes a classifier's answer.

mod config;
mod words;

pub use config::AuditConfig;

use anyhow::Result;

use super::ground::Ground;
use super::hunt::{self, Found, Tried};
use super::methods::{Method, layers, settings};
use super::splits::Parts;
use super::victims::{self, Ready};
use crate::config::ExperimentFile;
use crate::context::Context;
use crate::data::Input;
use crate::estimate::Work;
use crate::experiment::Experiment;
use crate::experiments::experiment_file;
use crate::format::short;
use crate::present::Presentation;
use crate::record::{Better, Metric, Results};
use crate::table::{Cell, Table};

/// The experiment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Audit;

impl Experiment for Audit {
    type Config = AuditConfig;

    fn name(&self) -> &'static str {
        "triggers/audit"
    }

    fn title(&self) -> &'static str {
        "universal triggers against your own classifier"
    }

    fn file(&self) -> ExperimentFile {
        experiment_file!("triggers/audit")
    }

    fn inputs(&self, config: &AuditConfig) -> Vec<Input> {
        config.inputs()
    }

    fn work(&self, config: &AuditConfig) -> Vec<Work> {
        let searches = format!("{} example-forwards each", config.budget);
        vec![
            config.training.work(1),
            Work::other(config.methods.len(), "kind of search", &searches),
        ]
    }

    fn run(&self, config: &AuditConfig, cx: &mut Context) -> Result<()> {
        run(config, cx)
    }

    fn present(&self, config: &AuditConfig, results: &Results) -> Presentation {
        words::present(config, results)
    }

    fn gate(&self, config: &AuditConfig, results: &Results) -> Option<String> {
        words::gate(config, results)
    }
}

/// The victim, then every search as a cell that can be stopped in the middle.
fn run(config: &AuditConfig, cx: &mut Context) -> Result<()> {
    let (search, training) = (&config.search, &config.training);
    let parts =
        Parts::read(config.task, &config.glue, search.examples, config.max_dev, training.seed, cx)?;
    let ready = victims::ready(&config.victim.source(), &parts, &[], training, cx)?;
    let n_layers = ready.victim.n_layers();
    let layers = layers(&config.layers, n_layers);
    let ground = Ground::new(ready, &parts, &config.filter, config.length)?;
    describe(&ground, &config.filter.said(), config.budget, cx)?;
    let start = start(&ground, config.length)?;
    let label = |metric: Metric| metric.at("method", "start");
    record_tried(&start, "dev", &label, cx);
    let mut all = Vec::new();
    for setting in settings(&config.methods, &layers, &config.q, 1) {
        let found = hunt::cell(&ground, setting, &config.rules(), "search", cx)?;
        record(&found, cx);
        all.push(found);
    }
    cx.table(&triggers(&all, cx.seed()))?;
    cx.forget_checkpoints()
}

/// What the first trigger does, before any search.
fn start(ground: &Ground, length: usize) -> Result<Tried> {
    let trigger: Vec<u32> = ground.first().into_iter().cycle().take(length).collect();
    Tried::new(&ground.outcomes(&trigger)?)
}

/// Records what is known of a victim without a trigger, and notes what the numbers follow from.
pub(super) fn describe(ground: &Ground, filter: &str, budget: f64, cx: &mut Context) -> Result<()> {
    let ready: &Ready = &ground.ready;
    let place = |metric: Metric| metric.at("split", "dev");
    let accuracy = Metric::new("accuracy", ground.accuracy()?).better(Better::Higher);
    cx.record(place(accuracy));
    let allowed = Metric::new("allowed_tokens", ground.filtered.remaining() as f64);
    cx.record(allowed);
    if let Some(training) = &ready.trained {
        cx.record(Metric::new("train_examples", training.examples as f64));
        if let Some(seconds) = training.seconds {
            cx.record(Metric::new("train_seconds", seconds).unit("s (wall)"));
        }
    }
    let removed: Vec<String> = sixfold_triggers::filter::Rule::ALL
        .into_iter()
        .filter_map(|rule| {
            let count = ground.filtered.removed(rule);
            (count > 0).then(|| format!("{rule} {count}"))
        })
        .collect();
    cx.note(format!(
        "Tokens that may be tried: {filter}; {} of {} remain (removed: {}).",
        ground.filtered.remaining(),
        ready.vocabulary.len(),
        removed.join(", ")
    ));
    cx.note(format!(
        "Model {}: SHA-256 {}. Data: SHA-256 {}. Budget of each search: {} example-forwards. Seed {}.",
        ready.name,
        ready.hash,
        ground.data,
        short(budget),
        cx.seed()
    ));
    Ok(())
}

/// Records what a search found.
fn record(found: &Found, cx: &mut Context) {
    let setting = found.setting;
    for (split, tried) in [("search", &found.search), ("dev", &found.dev)] {
        record_tried(tried, split, &|metric| setting.label(metric), cx);
    }
    let label = |name: &str, value: f64| setting.label(Metric::new(name, value));
    cx.record(label("forwards", found.ledger.spent().0).at("split", "search"));
    cx.record(label("updates", found.updates as f64));
    cx.record(label("area_under_curve", found.area).better(Better::Higher).at("split", "search"));
}

/// Records what a trigger does to a split.
fn record_tried(tried: &Tried, split: &str, label: &impl Fn(Metric) -> Metric, cx: &mut Context) {
    let summary = &tried.summary;
    let metric = |name: &str, value: f64| label(Metric::new(name, value)).at("split", split);
    cx.record(metric("fooling_rate", summary.fooling_rate).ci95(Some(tried.ci95)));
    cx.record(metric("saturation", summary.cap));
    if let Some(accuracy) = summary.accuracy {
        cx.record(metric("accuracy", accuracy.attacked).better(Better::Higher));
    }
    for class in &summary.by_class {
        if let Some(rate) = class.fooling_rate {
            cx.record(metric("class_fooling_rate", rate).at("class", class.class));
        }
    }
}

/// All triggers of a seed.
fn triggers(all: &[Found], seed: u64) -> Table {
    let heads = [
        "method",
        "layer",
        "q",
        "trigger",
        "same tokens when typed",
        "fooling rate, search",
        "fooling rate, dev",
        "of the cap",
        "collapse class",
        "its share",
        "updates",
        "forwards",
        "ended by",
    ];
    let title = format!("The triggers, seed {seed}");
    let mut table = Table::new(&format!("triggers_seed_{seed}"), title, heads);
    for found in all {
        let (search, dev) = (&found.search.summary, &found.dev.summary);
        let typed = if found.typed { "yes" } else { "no" };
        let stop = format!("{:?}", found.stop).to_lowercase();
        table.push([
            Cell::from(found.setting.method.name()),
            Cell::from(found.setting.layer),
            Cell::from(found.setting.q),
            Cell::from(found.text.as_str()),
            Cell::from(typed),
            Cell::from(search.fooling_rate),
            Cell::from(dev.fooling_rate),
            Cell::from(dev.of_cap),
            Cell::from(dev.collapse.class),
            Cell::from(dev.collapse.share),
            Cell::from(found.updates),
            Cell::from(found.ledger.spent().0),
            Cell::from(stop.as_str()),
        ]);
    }
    table
}

/// Whether a method has layers.
fn is_layerwise(method: &str) -> bool {
    method == Method::Luat.name()
}
