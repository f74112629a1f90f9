//! What the profiles of geometry and linearity share: models, text, filters, layers.

mod config;
pub mod measure;
mod reading;
mod stream;
mod words;

pub(super) use config::filter_problems;
pub(super) use measure::transition;
pub(super) use reading::{Reading, context};
pub(super) use stream::{OUTLIER_FACTOR, Streamed, n_groups, pass};

pub use config::{ModelRef, ProfileConfig, TextConfig};
pub use sixfold_model::stats::TokenFilter as Filter;
pub use words::{MetricInfo, Profiled};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::record::Metric;

/// The numbers of one layer of one model under one filter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerRow {
    /// Site (geometry) or block (linearity), from 0.
    pub layer: usize,
    /// Which tokens count.
    pub filter: Filter,
    /// Whether the weights are random: a control.
    #[serde(default)]
    pub untrained: bool,
    /// The numbers.
    pub metrics: Vec<LayerMetric>,
}

/// One number of a layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerMetric {
    /// The name in `results.json`.
    pub name: String,
    /// The value.
    pub value: f64,
    /// The 95 % interval over documents, where the method has one.
    pub ci95: Option<[f64; 2]>,
}

impl LayerMetric {
    /// A number with or without an interval.
    pub fn new(name: &str, value: f64, ci95: Option<[f64; 2]>) -> Self {
        Self { name: name.to_owned(), value, ci95 }
    }
}

/// Measures one model: all its layers under all filters.
pub type Measure = fn(&ModelRef, &ProfileConfig, &mut Context) -> Result<Vec<LayerRow>>;

/// Measures every model as a resumable cell and records its numbers as soon as it is done.
pub(in crate::experiments) fn run(
    measure: Measure,
    config: &ProfileConfig,
    cx: &mut Context,
) -> Result<()> {
    for model in &config.models {
        let rows = cx.cell(&model.name(), |cx| measure(model, config, cx))?;
        for row in rows {
            for metric in row.metrics {
                let record = Metric::new(metric.name, metric.value)
                    .at("model", model.name())
                    .at("layer", row.layer)
                    .at("filter", row.filter.name())
                    .ci95(metric.ci95);
                // A label that does not apply is left out.
                cx.record(if row.untrained { record.at("control", "untrained") } else { record });
            }
        }
    }
    Ok(())
}
