//! `geometry/profile`: anisotropy and dimension of the embeddings, site by site.

use anyhow::Result;

use super::experiment_file;
use super::profile::{Measure, MetricInfo, ProfileConfig, Profiled, measure};
use crate::config::ExperimentFile;
use crate::context::Context;
use crate::data::Input;
use crate::experiment::Experiment;
use crate::format::short;
use crate::present::Presentation;
use crate::record::Results;

/// The metrics in the order of the report.
pub const METRICS: &[MetricInfo] = &[
    MetricInfo {
        name: "anisotropy",
        title: "Anisotropy",
        caption: "Share of the variance along the first principal direction; 1/D where all \
                  directions are equal.",
    },
    MetricInfo {
        name: "mean_cosine",
        title: "Mean cosine",
        caption: "Average cosine between two tokens, over all pairs.",
    },
    MetricInfo {
        name: "iso_score",
        title: "IsoScore",
        caption: "0 where one direction holds everything, 1 where all hold the same.",
    },
    MetricInfo {
        name: "participation_ratio",
        title: "Participation ratio",
        caption: "(Σλ)² / Σλ²: how many directions carry the variance.",
    },
    MetricInfo {
        name: "nesum",
        title: "NESum",
        caption: "Eigenvalues summed in units of the largest.",
    },
    MetricInfo {
        name: "effective_rank",
        title: "Effective rank",
        caption: "Exponential of the entropy of the eigenvalues.",
    },
    MetricInfo {
        name: "mean_norm",
        title: "Mean norm",
        caption: "Average length of a token's embedding.",
    },
];

/// The experiment; its measuring part can be replaced in tests.
pub struct Profile {
    measure: Measure,
}

impl Default for Profile {
    fn default() -> Self {
        Self::measured_by(measure::geometry)
    }
}

impl Profile {
    /// The experiment with another source of numbers.
    pub fn measured_by(measure: Measure) -> Self {
        Self { measure }
    }
}

impl Experiment for Profile {
    type Config = ProfileConfig;

    fn name(&self) -> &'static str {
        "geometry/profile"
    }

    fn title(&self) -> &'static str {
        "anisotropy and dimension by layer"
    }

    fn file(&self) -> ExperimentFile {
        experiment_file!("geometry/profile")
    }

    fn uses_seed(&self) -> bool {
        false
    }

    fn inputs(&self, config: &ProfileConfig) -> Vec<Input> {
        config.inputs()
    }

    fn run(&self, config: &ProfileConfig, cx: &mut Context) -> Result<()> {
        super::profile::run(self.measure, config, cx)
    }

    fn present(&self, _config: &ProfileConfig, results: &Results) -> Presentation {
        let profiled = Profiled::new(results, METRICS);
        let mut words = profiled.presentation("site");
        let peaks: Vec<String> = profiled
            .extremes("anisotropy", f64::gt)
            .map(|(model, layer, value)| format!("at {} in {model} (site {layer})", short(value)))
            .collect();
        if !peaks.is_empty() {
            words.headline = format!("Anisotropy peaks {}", peaks.join(", "));
        }
        for (model, [low, high]) in profiled.ranges("effective_rank") {
            words.answer.push(format!(
                "The effective rank of {model} runs from {} to {}.",
                short(low),
                short(high)
            ));
        }
        for (model, [low, high]) in profiled.ranges("mean_cosine") {
            words.answer.push(format!(
                "Two tokens of {model} have a mean cosine of {} to {}.",
                short(low),
                short(high)
            ));
        }
        words
    }
}
