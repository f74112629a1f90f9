//! What one training gives, and its records.

use serde::{Deserialize, Serialize};

use crate::record::{Better, Metric};

/// What one training gives.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Outcome {
    /// Mean loss of the last tenth of the steps.
    pub(super) train_loss: f64,
    /// Median of the wall times of the steps.
    pub(super) step_ms: f64,
    /// Numbers that are trained.
    pub(super) trainable: usize,
    /// What the planner expects: persistent bytes, and the peak without activations that all have.
    pub(super) planned: [usize; 2],
    /// The most that was allocated while it trained, where that is counted.
    pub(super) peak_bytes: Option<usize>,
    /// Measures of the trained model by name.
    pub(super) scores: Vec<(String, f64)>,
}

impl Outcome {
    /// Its records, without labels of their own but for who says the bytes.
    pub(super) fn metrics(&self) -> Vec<Metric> {
        let bytes = |name: &str, value: usize, source: &str| {
            let metric = Metric::new(name, value as f64).unit("bytes").better(Better::Lower);
            metric.at("source", source)
        };
        let mut metrics = vec![
            Metric::new("train_loss", self.train_loss).unit("nats").better(Better::Lower),
            Metric::new("trainable", self.trainable as f64).unit("parameters"),
            bytes("persistent_bytes", self.planned[0], "planned"),
            bytes("peak_bytes", self.planned[1], "planned"),
        ];
        metrics.extend(self.peak_bytes.map(|peak| bytes("peak_bytes", peak, "measured")));
        metrics.push(Metric::new("step_ms", self.step_ms).unit("ms (wall)").better(Better::Lower));
        metrics
    }
}

/// The mean of the last tenth of some values, of one at least.
pub(super) fn last_tenth(values: &[f64]) -> f64 {
    let last = &values[values.len() - values.len().div_ceil(10)..];
    last.iter().sum::<f64>() / last.len().max(1) as f64
}

/// The middle of some values; of an even number the mean of the two in the middle.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len() % 2 == 1 { values[half] } else { (values[half - 1] + values[half]) / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_middles() {
        assert!((last_tenth(&[9.0, 1.0]) - 1.0).abs() < 1e-12);
        let twenty: Vec<f64> = (0..20).map(f64::from).collect();
        assert!((last_tenth(&twenty) - 18.5).abs() < 1e-12);
        assert_eq!((median(vec![3.0, 1.0, 2.0]), median(vec![4.0, 1.0])), (2.0, 2.5));
        assert!(median(Vec::new()).is_nan());
    }
}
