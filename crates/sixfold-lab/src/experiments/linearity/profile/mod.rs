//! `linearity/profile`: how linear each block is, with and without the residual stream.

mod words;

use anyhow::Result;

use super::super::experiment_file;
use super::super::profile::{Measure, MetricInfo, ProfileConfig, measure, run};
use crate::config::ExperimentFile;
use crate::context::Context;
use crate::data::Input;
use crate::experiment::Experiment;
use crate::present::Presentation;
use crate::record::Results;

/// The metrics in the order of the report.
pub(super) const METRICS: &[MetricInfo] = &[
    MetricInfo {
        name: "linearity",
        title: "Linearity of each block",
        caption: "Share of a block's output that the best affine map of its input explains, \
                  residual stream included.",
    },
    MetricInfo {
        name: "linearity_without_residual",
        title: "Linearity without the residual stream",
        caption: "The same for what the block adds to the stream: 1 − L = (1 − L without) · norm \
                  ratio ties both together.",
    },
    MetricInfo {
        name: "linearity_official",
        title: "Linearity as the paper's own code computes it",
        caption: "The same score by an SVD of the states of all tokens, unadjusted.",
    },
    MetricInfo {
        name: "linearity_adjusted",
        title: "Linearity, adjusted for sample size",
        caption: "The bias of D/(N−1) that a fit on few tokens has is taken out.",
    },
    MetricInfo {
        name: "linearity_heldout",
        title: "Linearity on held-out documents",
        caption: "Fitted on one part of the documents, scored on the other.",
    },
    MetricInfo {
        name: "norm_ratio",
        title: "Norm ratio",
        caption: "‖Y − X‖² / ‖Y‖² on centred data: how much of the stream each block rewrites.",
    },
    MetricInfo {
        name: "residual_error",
        title: "What the affine map leaves",
        caption: "‖Y − XA‖² per token, not normalised.",
    },
    MetricInfo {
        name: "procrustes_orthogonal",
        title: "Orthogonal Procrustes similarity",
        caption: "As linearity, with the map confined to rotations and one scale.",
    },
    MetricInfo {
        name: "cka",
        title: "Linear CKA",
        caption: "Similarity of the two Gram matrices.",
    },
    MetricInfo {
        name: "rank",
        title: "Rank of the input",
        caption: "Directions of the block's input that the fit could use.",
    },
];

/// The experiment; its measuring part can be replaced in tests.
pub struct Profile {
    measure: Measure,
}

impl Default for Profile {
    fn default() -> Self {
        Self::measured_by(measure::linearity)
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
        "linearity/profile"
    }

    fn title(&self) -> &'static str {
        "linearity of each block"
    }

    fn file(&self) -> ExperimentFile {
        experiment_file!("linearity/profile")
    }

    fn uses_seed(&self) -> bool {
        false
    }

    fn inputs(&self, config: &ProfileConfig) -> Vec<Input> {
        config.inputs()
    }

    fn run(&self, config: &ProfileConfig, cx: &mut Context) -> Result<()> {
        run(self.measure, config, cx)
    }

    fn present(&self, _config: &ProfileConfig, results: &Results) -> Presentation {
        words::present(results)
    }
}
