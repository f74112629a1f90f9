//! The methods that are compared, and the settings of each.

use std::fmt;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use sixfold_triggers::{
    GradRandomControl, Luat, LuatConfig, ModelVictim, RandomControl, Scorer, Uat,
};

use crate::record::Metric;

/// A way to propose tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Layerwise: tokens that move a hidden layer the most.
    Luat,
    /// Tokens along the gradient of the loss.
    Uat,
    /// A control: tokens drawn at random.
    Random,
    /// A control: tokens along a random direction.
    GradientRandom,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Luat, Self::Uat, Self::Random, Self::GradientRandom];

    /// The name in configs and results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Luat => "luat",
            Self::Uat => "uat",
            Self::Random => "random",
            Self::GradientRandom => "gradient-random",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One search of a method: its layer and q, or the number of its restart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Setting {
    pub(super) method: Method,
    pub(super) layer: Option<usize>,
    pub(super) q: Option<f64>,
    pub(super) restart: usize,
}

impl Setting {
    /// What tells it apart from others of its method.
    pub(super) fn name(&self) -> String {
        match (self.layer, self.q) {
            (Some(layer), Some(q)) => format!("layer {layer}, q {q}"),
            _ => format!("restart {}", self.restart),
        }
    }

    /// A record with its labels.
    pub(super) fn label(&self, metric: Metric) -> Metric {
        let metric = metric.at("method", self.method.name());
        match (self.layer, self.q) {
            (Some(layer), Some(q)) => metric.at("layer", layer).at("q", q),
            _ if self.restart > 0 => metric.at("restart", self.restart),
            _ => metric,
        }
    }

    /// What proposes tokens in this search.
    ///
    /// # Errors
    /// A layer that the model does not have.
    pub(super) fn scorer<'a>(&self, victim: &'a ModelVictim) -> Result<Box<dyn Scorer + 'a>> {
        Ok(match self.method {
            Method::Luat => {
                let (layer, q) = (self.layer.unwrap_or(0), self.q.unwrap_or(2.0));
                let config = LuatConfig { layer, q, ..LuatConfig::default() };
                Box::new(Luat::new(victim, config)?)
            }
            Method::Uat => Box::new(Uat::new(victim)),
            Method::Random => Box::new(RandomControl),
            Method::GradientRandom => Box::new(GradRandomControl::new(victim.table().clone())?),
        })
    }
}

/// The layers that are asked for; where none are named, the upper half.
pub(super) fn layers(asked: &[usize], n_layers: usize) -> Vec<usize> {
    if asked.is_empty() { (n_layers / 2..n_layers).collect() } else { asked.to_vec() }
}

/// Every layer with every q for the layerwise method, and so many searches of each other one.
pub(super) fn settings(
    methods: &[Method],
    layers: &[usize],
    q: &[f64],
    restarts: usize,
) -> Vec<Setting> {
    let of = |method: &Method| -> Vec<Setting> {
        let method = *method;
        match method {
            Method::Luat => layers
                .iter()
                .flat_map(|&layer| q.iter().map(move |&q| (layer, q)))
                .map(|(layer, q)| Setting { method, layer: Some(layer), q: Some(q), restart: 0 })
                .collect(),
            _ => (0..restarts)
                .map(|restart| Setting { method, layer: None, q: None, restart })
                .collect(),
        }
    };
    methods.iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_is_layers_by_q_and_restarts() {
        let layers = layers(&[], 5);
        assert_eq!(layers, [2, 3, 4]);
        let grid = settings(&Method::ALL, &layers, &[2.0, 5.0], 2);
        assert_eq!(grid.len(), 3 * 2 + 3 * 2);
        let names: Vec<String> = grid.iter().map(Setting::name).collect();
        assert_eq!(names[1], "layer 2, q 5");
        assert_eq!(names[7], "restart 1");
        let labelled = grid[0].label(Metric::new("fooling_rate", 0.5));
        assert_eq!(labelled.place.to_string(), "method=luat layer=2 q=2");
    }
}
