//! `geometry/manifolds`: how far each estimator of the dimension can be trusted.

mod config;
mod trust;
mod words;

pub use config::ManifoldsConfig;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use sixfold_geometry::manifolds::Manifold;
use sixfold_geometry::neighbours;
use sixfold_model::Seed;

use super::estimator::Cloud;
use crate::config::ExperimentFile;
use crate::context::Context;
use crate::data::Input;
use crate::experiment::Experiment;
use crate::experiments::experiment_file;
use crate::present::Presentation;
use crate::record::{Metric, Results, mean_and_interval};

/// The experiment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manifolds;

/// The estimates of one estimator on the clouds of one manifold, as its cell keeps them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Estimates {
    estimator: String,
    values: Vec<f64>,
    /// How many have an interval, and how many of these hold the true dimension.
    with_interval: usize,
    holding: usize,
}

impl Experiment for Manifolds {
    type Config = ManifoldsConfig;

    fn name(&self) -> &'static str {
        "geometry/manifolds"
    }

    fn title(&self) -> &'static str {
        "estimators on 17 manifolds of known dimension"
    }

    fn file(&self) -> ExperimentFile {
        experiment_file!("geometry/manifolds")
    }

    fn inputs(&self, _config: &ManifoldsConfig) -> Vec<Input> {
        Vec::new()
    }

    fn run(&self, config: &ManifoldsConfig, cx: &mut Context) -> Result<()> {
        let mut task = cx.progress().task("manifolds", Manifold::ALL.len() as u64, "manifolds");
        for manifold in Manifold::ALL {
            let (estimates, notes) =
                cx.cell(manifold.name(), |cx| measure(manifold, config, cx))?;
            task.advance(1);
            for one in estimates {
                record(manifold, &one, cx);
            }
            for note in notes {
                cx.note(note);
            }
        }
        Ok(())
    }

    fn present(&self, config: &ManifoldsConfig, results: &Results) -> Presentation {
        words::present(config, results)
    }
}

/// All estimators on the same clouds of one manifold, and what kept one from an estimate.
fn measure(
    manifold: Manifold,
    config: &ManifoldsConfig,
    cx: &mut Context,
) -> Result<(Vec<Estimates>, Vec<String>)> {
    let truth = manifold.intrinsic() as f64;
    let mut all: Vec<Estimates> = Vec::new();
    let mut notes = Vec::new();
    for repeat in 0..config.repeats {
        cx.check_interrupt()?;
        let seed = Seed::new(cx.seed()).derive("manifolds").derive(&repeat.to_string());
        let points = manifold.sample(config.n, seed.value());
        let table = neighbours(points.view(), config.neighbours())?;
        let cloud = Cloud { points: points.view(), table: &table };
        for estimator in &config.estimators {
            let found = match estimator.estimate(&cloud) {
                Ok(found) => found,
                // Such as too few points for a high dimension: the others go on.
                Err(error) => {
                    let (estimator, manifold) = (estimator.name(), manifold.name());
                    notes.push(format!("{estimator} gives no estimate on {manifold}: {error}."));
                    continue;
                }
            };
            for found in found {
                let name = found.name();
                let index = match all.iter().position(|one| one.estimator == name) {
                    Some(index) => index,
                    None => {
                        all.push(Estimates {
                            estimator: name,
                            values: Vec::new(),
                            with_interval: 0,
                            holding: 0,
                        });
                        all.len() - 1
                    }
                };
                let one = &mut all[index];
                one.values.push(found.value);
                if let Some([low, high]) = found.ci95 {
                    one.with_interval += 1;
                    one.holding += usize::from((low..=high).contains(&truth));
                }
            }
        }
    }
    Ok((all, notes))
}

fn record(manifold: Manifold, estimates: &Estimates, cx: &mut Context) {
    let truth = manifold.intrinsic() as f64;
    let place = |metric: Metric| {
        metric.at("manifold", manifold.name()).at("estimator", estimates.estimator.as_str())
    };
    let (mean, ci95) = mean_and_interval(&estimates.values);
    let relative = |value: f64| value / truth - 1.0;
    cx.record(place(Metric::new("intrinsic_dimension", mean)).ci95(ci95));
    let bias = place(Metric::new("bias", relative(mean))).unit("of the dimension");
    cx.record(bias.ci95(ci95.map(|ends| ends.map(relative))));
    if estimates.with_interval > 0 {
        let share = estimates.holding as f64 / estimates.with_interval as f64;
        cx.record(place(Metric::new("coverage", share)));
    }
}
