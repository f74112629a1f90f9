//! `sparsegrad/cost`: bytes and step time of every method, predicted and measured (what the paper's Tables 3, 7 and 8 are
//! about).

mod config;
mod measure;
mod words;

pub use config::{CostConfig, Shape};

use anyhow::Result;

use self::measure::{Bench, Turn};
use super::outcome::median;
use crate::config::ExperimentFile;
use crate::context::Context;
use crate::data::Input;
use crate::experiment::Experiment;
use crate::experiments::experiment_file;
use crate::present::Presentation;
use crate::record::{Better, Metric, Results};

/// The experiment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost;

impl Experiment for Cost {
    type Config = CostConfig;

    fn name(&self) -> &'static str {
        "sparsegrad/cost"
    }

    fn title(&self) -> &'static str {
        "memory and step time of every method, predicted and measured"
    }

    fn file(&self) -> ExperimentFile {
        experiment_file!("sparsegrad/cost")
    }

    fn uses_seed(&self) -> bool {
        false
    }

    fn inputs(&self, _: &CostConfig) -> Vec<Input> {
        Vec::new()
    }

    fn run(&self, config: &CostConfig, cx: &mut Context) -> Result<()> {
        run(config, cx)
    }

    fn present(&self, config: &CostConfig, results: &Results) -> Presentation {
        words::present(config, results)
    }
}

/// Shape by shape, the methods in turns, each turn a resumable cell.
fn run(config: &CostConfig, cx: &mut Context) -> Result<()> {
    let device = sixfold_model::device(cx.device_name())?.autodiff();
    for &shape in &config.shape {
        let mut bench = Bench::new(config, shape, &device)?;
        let mut turns: Vec<Vec<Turn>> = config.methods.iter().map(|_| Vec::new()).collect();
        let all = config.rounds * config.methods.len();
        let mut task = cx.progress().task(shape.name(), all as u64, "turns");
        for round in 0..config.rounds {
            for (method, turns) in config.methods.iter().zip(&mut turns) {
                let key = format!("{shape} {method} {round}");
                turns.push(cx.cell(&key, |_| bench.turn(*method, round == 0))?);
                task.advance(1);
            }
        }
        for (method, turns) in config.methods.iter().zip(&turns) {
            for metric in metrics(turns) {
                cx.record(metric.at("method", method.name()).at("shape", shape.name()));
            }
        }
    }
    if !crate::heap::is_counted() {
        cx.note("This program's allocator does not count: no bytes were measured.");
    }
    Ok(())
}

/// The records of a method on a shape.
fn metrics(turns: &[Turn]) -> Vec<Metric> {
    let Some(first) = turns.first() else { return Vec::new() };
    let bytes = |name: &str, value: usize| {
        Metric::new(name, value as f64).unit("bytes").better(Better::Lower)
    };
    let mut metrics = vec![
        Metric::new("trainable", first.trainable as f64).unit("parameters"),
        bytes("predicted_bytes", first.predicted),
    ];
    if let Some([persistent, peak]) = first.counted {
        metrics.extend([bytes("persistent_bytes", persistent), bytes("peak_bytes", peak)]);
    }
    let times = turns.iter().flat_map(|turn| turn.step_ms.iter().copied()).collect();
    let step = Metric::new("step_ms", median(times)).unit("ms (wall)").better(Better::Lower);
    metrics.push(step);
    metrics
}
