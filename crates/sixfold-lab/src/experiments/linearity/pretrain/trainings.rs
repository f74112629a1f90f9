//! The numbers of the trainings, seed by seed, and how those of one λ differ from the control.

use crate::experiments::curves::At;
use crate::record::{Metric, Results, mean_and_interval};

/// The records of a run.
#[derive(Clone, Copy)]
pub(super) struct Trainings<'a>(&'a Results);

/// The labels that a record must have.
pub(super) type Place<'a> = &'a [(&'a str, &'a str)];

impl<'a> Trainings<'a> {
    pub(super) fn new(results: &'a Results) -> Self {
        Self(results)
    }

    /// The weights of the penalty, the smallest first.
    pub(super) fn lambdas(&self) -> Vec<f64> {
        let losses = self.0.metrics.iter().filter(|metric| metric.name == "loss");
        let mut lambdas: Vec<f64> = losses.filter_map(|m| m.place.number("lambda")).collect();
        lambdas.sort_by(f64::total_cmp);
        lambdas.dedup();
        lambdas
    }

    /// The records of one λ, one seed each; of a run with one seed, those of it.
    fn of_seeds(&self, name: &str, lambda: f64, place: Place<'_>) -> Vec<(String, &'a Metric)> {
        let several = self.0.seeds.len() > 1;
        self.0
            .metrics
            .iter()
            .filter(|metric| {
                metric.name == name
                    && metric.place.number("lambda") == Some(lambda)
                    && metric.place.get("seed").is_some() == several
                    && place.iter().all(|(label, value)| metric.place.text(label) == *value)
            })
            .map(|metric| (metric.place.text("seed"), metric))
            .collect()
    }

    /// The mean over the layers from `from` on, for each seed.
    fn means(&self, name: &str, lambda: f64, place: Place<'_>, from: f64) -> Vec<(String, f64)> {
        let mut sums: Vec<(String, f64, f64)> = Vec::new();
        for (seed, metric) in self.of_seeds(name, lambda, place) {
            if metric.place.number("layer").is_some_and(|layer| layer < from) {
                continue;
            }
            match sums.iter_mut().find(|(known, ..)| *known == seed) {
                Some((_, sum, n)) => (*sum, *n) = (*sum + metric.value, *n + 1.0),
                None => sums.push((seed, metric.value, 1.0)),
            }
        }
        sums.into_iter().map(|(seed, sum, n)| (seed, sum / n)).collect()
    }

    /// The mean over layers and seeds, with its interval over seeds.
    pub(super) fn level(&self, name: &str, lambda: f64, place: Place<'_>, from: f64) -> Option<At> {
        let means = self.means(name, lambda, place, from);
        let values: Vec<f64> = means.into_iter().map(|(_, value)| value).collect();
        at(lambda, &values)
    }

    /// How much more it is than without the penalty, seed by seed: parameters and batches are the
    /// same, so that what they have in common cancels.
    pub(super) fn change(
        &self,
        name: &str,
        lambda: f64,
        place: Place<'_>,
        from: f64,
    ) -> Option<At> {
        let control = self.means(name, 0.0, place, from);
        let pairs = self.means(name, lambda, place, from).into_iter();
        let changes: Vec<f64> = pairs
            .filter_map(|(seed, value)| {
                let (_, before) = control.iter().find(|(known, _)| *known == seed)?;
                Some(value - before)
            })
            .collect();
        at(lambda, &changes)
    }

    /// A measure over the layers.
    pub(super) fn over_layers(&self, name: &str, lambda: f64, place: Place<'_>) -> Vec<At> {
        let mut curve: Vec<At> = self
            .0
            .named(name)
            .filter(|metric| {
                metric.place.number("lambda") == Some(lambda)
                    && place.iter().all(|(label, value)| metric.place.text(label) == *value)
            })
            .filter_map(|metric| {
                let x = metric.place.number("layer")?;
                Some(At { x, value: metric.value, ci95: metric.ci95 })
            })
            .collect();
        curve.sort_by(|a, b| a.x.total_cmp(&b.x));
        curve
    }
}

fn at(x: f64, values: &[f64]) -> Option<At> {
    let (value, ci95) = mean_and_interval(values);
    (!values.is_empty() && value.is_finite()).then_some(At { x, value, ci95 })
}
