//! The numbers of one site, as cells keep them.

use serde::{Deserialize, Serialize};
use sixfold_model::stats::TokenFilter as Filter;

use crate::record::Metric;

/// What a measurement is compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Control {
    /// The model and the text as they are.
    #[default]
    None,
    /// The same architecture with random weights.
    Untrained,
    /// The same text with its tokens in random order.
    Shuffled,
    /// A Gaussian cloud with the mean and covariance of each site.
    Gaussian,
}

impl Control {
    /// The name in configs and results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Untrained => "untrained",
            Self::Shuffled => "shuffled",
            Self::Gaussian => "gaussian",
        }
    }
}

/// One number of a site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The name in `results.json`.
    pub name: String,
    /// The site; of two neighbouring ones, the lower.
    pub layer: usize,
    /// Which tokens count.
    pub filter: Filter,
    /// Which control it belongs to.
    pub control: Control,
    /// The estimator of a dimension.
    pub estimator: Option<String>,
    /// The rank of the farthest neighbour that an estimate looks at, where it is one of several.
    pub scale: Option<usize>,
    /// `forward` from a site to the next, or `backward`.
    pub direction: Option<String>,
    /// The value.
    pub value: f64,
    /// Its 95 % interval, where the method has one.
    pub ci95: Option<[f64; 2]>,
}

impl Score {
    /// A number of the site `layer`.
    pub fn new(name: &str, layer: usize, filter: Filter, value: f64) -> Self {
        Self {
            name: name.to_owned(),
            layer,
            filter,
            control: Control::None,
            estimator: None,
            scale: None,
            direction: None,
            value,
            ci95: None,
        }
    }

    /// The same with an interval.
    pub fn ci95(mut self, ci95: Option<[f64; 2]>) -> Self {
        self.ci95 = ci95.filter(|ends| ends.iter().all(|end| end.is_finite()));
        self
    }

    /// The same with the name of an estimator and, for one of several, its scale.
    pub fn by(mut self, estimator: &str, scale: Option<usize>) -> Self {
        self.estimator = Some(estimator.to_owned());
        self.scale = scale;
        self
    }

    /// The same at a scale.
    pub fn at_scale(mut self, scale: usize) -> Self {
        self.scale = Some(scale);
        self
    }

    /// The same with a direction between two sites.
    pub fn towards(mut self, direction: &str) -> Self {
        self.direction = Some(direction.to_owned());
        self
    }

    /// The same as a number of a control.
    pub fn of(mut self, control: Control) -> Self {
        self.control = control;
        self
    }

    /// The record of the number; `place` sets the labels before its own.
    pub fn record(self, place: impl FnOnce(Metric) -> Metric) -> Metric {
        let mut metric = place(Metric::new(self.name, self.value)).at("layer", self.layer);
        metric = metric.at("filter", self.filter.name()).at("control", self.control.name());
        if let Some(estimator) = self.estimator {
            metric = metric.at("estimator", estimator);
        }
        if let Some(scale) = self.scale {
            metric = metric.at("scale", scale);
        }
        if let Some(direction) = self.direction {
            metric = metric.at("direction", direction);
        }
        metric.ci95(self.ci95)
    }
}
