//! `linearity/finetune`: linearity before and after fine-tuning (the paper's Table 1).

mod config;
mod tuning;
mod words;

pub use config::{FinetuneConfig, FinetuneRecipe};

use anyhow::Result;
use sixfold_model::{Checkpoint, Tokenizer};

use super::super::experiment_file;
use super::super::profile::LayerRow;
use crate::config::ExperimentFile;
use crate::context::Context;
use crate::data::Input;
use crate::estimate::Work;
use crate::experiment::Experiment;
use crate::present::Presentation;
use crate::record::{Better, Metric, Results};
use tuning::{Material, Tuned};

/// The measures that are kept of each block.
const KEPT: [&str; 5] = [
    "linearity",
    "linearity_adjusted",
    "linearity_without_residual",
    "norm_ratio",
    "residual_error",
];

/// The experiment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Finetune;

impl Experiment for Finetune {
    type Config = FinetuneConfig;

    fn name(&self) -> &'static str {
        "linearity/finetune"
    }

    fn title(&self) -> &'static str {
        "linearity before and after fine-tuning"
    }

    fn file(&self) -> ExperimentFile {
        experiment_file!("linearity/finetune")
    }

    fn inputs(&self, config: &FinetuneConfig) -> Vec<Input> {
        config.inputs()
    }

    fn work(&self, config: &FinetuneConfig) -> Vec<Work> {
        let FinetuneRecipe { epochs, batch_size, max_tokens, .. } = config.recipe;
        let step = format!("{batch_size} × {max_tokens} tokens at most");
        vec![Work::epochs(config.tasks.len(), epochs, &step)]
    }

    fn run(&self, config: &FinetuneConfig, cx: &mut Context) -> Result<()> {
        run(config, cx)
    }

    fn present(&self, config: &FinetuneConfig, results: &Results) -> Presentation {
        words::present(config, results)
    }
}

/// Fine-tunes for every task, each with its control as a resumable cell.
fn run(config: &FinetuneConfig, cx: &mut Context) -> Result<()> {
    let dir = cx.locator().existing("model.dir", &config.model.dir)?;
    let checkpoint = Checkpoint::open(&dir)?;
    let tokenizer = Tokenizer::from_dir(&dir)?;
    let longest = checkpoint.spec().max_positions.unwrap_or(usize::MAX);
    for &task in &config.tasks {
        let material = Material::read(task, config, &tokenizer, longest, cx)?;
        let majority = Metric::new("majority", material.majority()).at("task", task.name());
        cx.record(majority.better(Better::Higher));
        let controls: &[&str] =
            if config.shuffled_control { &["none", "shuffled"] } else { &["none"] };
        for &control in controls {
            let tuned = cx.cell(&format!("{task} {control}"), |cx| {
                material.tune(config, &checkpoint, control == "shuffled", cx)
            })?;
            record(&tuned, config, task.name(), control, cx);
        }
    }
    Ok(())
}

fn record(tuned: &Tuned, config: &FinetuneConfig, task: &str, control: &str, cx: &mut Context) {
    let place = |metric: Metric| metric.at("task", task).at("control", control);
    let stages = [("before", &tuned.before), ("after", &tuned.after)];
    for (stage, row) in stages.iter().flat_map(|(stage, rows)| rows.iter().map(move |r| (stage, r)))
    {
        for one in row.metrics.iter().filter(|one| KEPT.contains(&one.name.as_str())) {
            let metric = Metric::new(one.name.as_str(), one.value).ci95(one.ci95);
            let metric = metric.at("stage", *stage).at("layer", row.layer);
            cx.record(place(metric.at("filter", row.filter.name())));
        }
    }
    let first = config.filters.first().copied().unwrap_or_default();
    let name = "linearity_without_residual";
    let mean = |rows: &[LayerRow]| {
        let values = rows
            .iter()
            .filter(|row| row.filter == first)
            .flat_map(|row| row.metrics.iter().filter(|one| one.name == name).map(|one| one.value));
        let values: Vec<f64> = values.collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    let gain = Metric::new(format!("{name}_gain"), mean(&tuned.after) - mean(&tuned.before));
    cx.record(place(gain.at("model", config.model.name())));
    cx.record(place(Metric::new("accuracy", tuned.accuracy)).better(Better::Higher));
    cx.note(format!("{task}: {} steps.", tuned.steps));
}
