//! Metrics, their labels, and how they are summed up over seeds.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

mod labels;
pub use labels::{Label, Labels};

/// Which direction is an improvement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    /// Larger values are better.
    Higher,
    /// Smaller values are better.
    Lower,
    /// The metric describes and does not judge.
    #[default]
    None,
}

/// One number of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// What was measured.
    pub name: String,
    /// What tells this record from others of the same name.
    #[serde(rename = "where")]
    pub place: Labels,
    /// The value, or the mean over seeds; null in JSON where it is not finite.
    #[serde(deserialize_with = "number_or_nan")]
    pub value: f64,
    /// Sample standard deviation over seeds.
    pub std: Option<f64>,
    /// Number of seeds behind `value`.
    pub n: usize,
    /// 95 % interval: over seeds by Student's t, or over data where the method has one.
    pub ci95: Option<[f64; 2]>,
    /// The unit; empty for plain numbers.
    pub unit: String,
    /// Which direction is better.
    pub better: Better,
}

impl Metric {
    /// A plain number.
    pub fn new(name: impl Into<String>, value: f64) -> Self {
        Self {
            name: name.into(),
            place: Labels::default(),
            value,
            std: None,
            n: 1,
            ci95: None,
            unit: String::new(),
            better: Better::None,
        }
    }

    /// The same with one more label.
    pub fn at(mut self, label: &str, value: impl Into<Label>) -> Self {
        self.place.set(label, value);
        self
    }

    /// The same with an interval over data.
    pub fn ci95(mut self, interval: Option<[f64; 2]>) -> Self {
        self.ci95 = interval.filter(|ends| ends.iter().all(|end| end.is_finite()));
        self
    }

    /// Half of the interval.
    pub fn half_interval(&self) -> Option<f64> {
        self.ci95.map(|[low, high]| (high - low) / 2.0)
    }

    /// The same with a unit.
    pub fn unit(mut self, unit: &str) -> Self {
        unit.clone_into(&mut self.unit);
        self
    }

    /// The same with a direction.
    pub fn better(mut self, better: Better) -> Self {
        self.better = better;
        self
    }
}

fn number_or_nan<'de, D: serde::Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(from)?.unwrap_or(f64::NAN))
}

/// Everything a run measured: the content of `results.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Version of this layout: 1.
    pub schema: u32,
    /// `crate/name`.
    pub experiment: String,
    /// `smoke`, `small` or `paper`.
    pub preset: String,
    /// `complete`, `interrupted` or `failed`.
    pub status: String,
    /// SHA-256 of the resolved config and the device.
    pub config_hash: String,
    /// The seeds that have values.
    pub seeds: Vec<u64>,
    /// The numbers.
    pub metrics: Vec<Metric>,
    /// What a reader has to know about them.
    pub notes: Vec<String>,
}

impl Results {
    /// Records of the metric `name` that are not of a single seed among several.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Metric> {
        self.summary().filter(move |metric| metric.name == name)
    }

    /// All records except those of a single seed among several.
    pub fn summary(&self) -> impl Iterator<Item = &Metric> {
        self.metrics.iter().filter(|metric| metric.place.get("seed").is_none())
    }
}

/// Puts the records of all seeds together.
///
/// With one seed asked for, its records are the result. With several there is one record
/// without `seed`, with mean, sample standard deviation and t interval, followed by those of
/// the seeds, told apart by the label `seed`.
pub fn aggregate(several: bool, runs: &[(u64, Vec<Metric>)]) -> Vec<Metric> {
    if !several {
        return runs.iter().flat_map(|(_, metrics)| metrics.iter().cloned()).collect();
    }
    let mut groups: Vec<(&Metric, Vec<(u64, &Metric)>)> = Vec::new();
    for (seed, metrics) in runs {
        for metric in metrics {
            match groups
                .iter_mut()
                .find(|(first, _)| first.name == metric.name && first.place == metric.place)
            {
                Some((_, members)) => members.push((*seed, metric)),
                None => groups.push((metric, vec![(*seed, metric)])),
            }
        }
    }
    let mut all = Vec::new();
    for (first, members) in groups {
        let values: Vec<f64> = members.iter().map(|(_, metric)| metric.value).collect();
        all.push(over_seeds(first, &values));
        for (seed, metric) in members {
            all.push(metric.clone().at("seed", seed));
        }
    }
    all
}

fn over_seeds(first: &Metric, values: &[f64]) -> Metric {
    let (value, interval) = mean_and_interval(values);
    let std = deviation(values, value);
    Metric { value, n: values.len(), std, ci95: None, ..first.clone() }.ci95(interval)
}

/// The mean, and its 95 % interval by Student's t; none of fewer than two values.
pub(crate) fn mean_and_interval(values: &[f64]) -> (f64, Option<[f64; 2]>) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let interval = deviation(values, mean).and_then(|std| {
        let student = StudentsT::new(0.0, 1.0, count - 1.0).ok()?;
        let half = student.inverse_cdf(0.975) * std / count.sqrt();
        Some([mean - half, mean + half])
    });
    (mean, interval)
}

/// Two spreads of independent numbers together, √(a² + b²); none where neither has one.
pub(crate) fn together(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a, b) {
        (None, None) => None,
        (a, b) => Some(a.unwrap_or(0.0).hypot(b.unwrap_or(0.0))),
    }
}

/// The sample standard deviation.
fn deviation(values: &[f64], mean: f64) -> Option<f64> {
    let square = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    (values.len() > 1).then(|| (square / (values.len() as f64 - 1.0)).sqrt())
}

#[cfg(test)]
mod tests;
