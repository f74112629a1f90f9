//! `geometry/profile`: anisotropy and dimension of the embeddings, site by site.

mod config;
mod figures;
mod findings;
mod measure;
mod words;

pub use config::GeometryConfig;
pub(super) use config::probe_problems;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::score::{Control, Score};
use crate::config::ExperimentFile;
use crate::context::Context;
use crate::data::Input;
use crate::experiment::Experiment;
use crate::experiments::experiment_file;
use crate::experiments::profile::{Filter, ModelRef};
use crate::present::Presentation;
use crate::record::{Metric, Results};

/// What was measured of one model under one control, as its cell keeps it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Whether a token sees those before it only: a decoder.
    pub causal: bool,
    /// Blocks of the model.
    pub blocks: usize,
    /// Width of the residual stream.
    pub width: usize,
    /// Tokens that each filter keeps.
    pub tokens: Vec<(Filter, usize)>,
    /// The numbers of every site.
    pub scores: Vec<Score>,
    /// What a reader has to know about them.
    pub notes: Vec<String>,
}

/// Measures one model: as it is (`none`, with the Gaussian control), untrained, or on shuffled text.
pub type Measure = fn(&ModelRef, Control, &GeometryConfig, &mut Context) -> Result<Measured>;

/// The experiment; its measuring part can be replaced in tests.
pub struct Profile {
    measure: Measure,
}

impl Default for Profile {
    fn default() -> Self {
        Self::measured_by(measure::measure)
    }
}

impl Profile {
    /// The experiment with another source of numbers.
    pub fn measured_by(measure: Measure) -> Self {
        Self { measure }
    }
}

impl Experiment for Profile {
    type Config = GeometryConfig;

    fn name(&self) -> &'static str {
        "geometry/profile"
    }

    fn title(&self) -> &'static str {
        "anisotropy and dimension by layer"
    }

    fn file(&self) -> ExperimentFile {
        experiment_file!("geometry/profile")
    }

    fn inputs(&self, config: &GeometryConfig) -> Vec<Input> {
        config.inputs()
    }

    fn run(&self, config: &GeometryConfig, cx: &mut Context) -> Result<()> {
        // The Gaussian clouds are made from the moments of the model itself.
        let others = config.controls.iter().copied().filter(|c| *c != Control::Gaussian);
        let passes: Vec<Control> = std::iter::once(Control::None).chain(others).collect();
        for model in &config.models {
            for &control in &passes {
                let key = match control {
                    Control::None => model.name(),
                    _ => format!("{} {}", model.name(), control.name()),
                };
                let measured = cx.cell(&key, |cx| (self.measure)(model, control, config, cx))?;
                record(&model.name(), control, measured, cx);
            }
        }
        Ok(())
    }

    fn present(&self, _config: &GeometryConfig, results: &Results) -> Presentation {
        words::present(results)
    }
}

fn record(model: &str, control: Control, measured: Measured, cx: &mut Context) {
    let place = |metric: Metric| metric.at("model", model);
    if control == Control::None {
        let about = [
            ("causal", f64::from(u8::from(measured.causal))),
            ("blocks", measured.blocks as f64),
            ("width", measured.width as f64),
        ];
        for (name, value) in about {
            cx.record(place(Metric::new(name, value)));
        }
        for (filter, tokens) in measured.tokens {
            cx.record(place(Metric::new("tokens", tokens as f64)).at("filter", filter.name()));
        }
    }
    for score in measured.scores {
        cx.record(score.record(place));
    }
    for note in measured.notes {
        cx.note(note);
    }
}
