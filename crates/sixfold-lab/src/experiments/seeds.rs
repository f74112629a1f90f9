//! Means over layers seed by seed, and how those of one place differ from those of another.

use crate::record::{Metric, Results, mean_and_interval};

/// The records of a run, seed by seed.
#[derive(Clone, Copy)]
pub(super) struct BySeed<'a>(&'a Results);

/// The labels that a record must have.
pub(super) type Place<'a> = &'a [(&'a str, &'a str)];

/// A mean over seeds, with its interval where there are several.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Mean {
    pub(super) value: f64,
    pub(super) ci95: Option<[f64; 2]>,
}

impl<'a> BySeed<'a> {
    pub(super) fn new(results: &'a Results) -> Self {
        Self(results)
    }

    /// The mean over the layers from `from` on, over seeds.
    pub(super) fn level(&self, name: &str, place: Place<'_>, from: f64) -> Option<Mean> {
        Mean::of(self.means(name, place, from).into_iter().map(|(_, value)| value))
    }

    /// How much more it is at `after` than at `before`, seed by seed: what the two share cancels.
    pub(super) fn change(
        &self,
        name: &str,
        [before, after]: [Place<'_>; 2],
        from: f64,
    ) -> Option<Mean> {
        let before = self.means(name, before, from);
        let pairs = self.means(name, after, from).into_iter();
        Mean::of(pairs.filter_map(|(seed, value)| {
            let (_, before) = before.iter().find(|(known, _)| *known == seed)?;
            Some(value - before)
        }))
    }

    /// The mean over the layers from `from` on, for each seed; of records without a layer, the
    /// record.
    fn means(&self, name: &str, place: Place<'_>, from: f64) -> Vec<(String, f64)> {
        let several = self.0.seeds.len() > 1;
        let fits = |metric: &&Metric| {
            metric.name == name
                && metric.place.get("seed").is_some() == several
                && metric.place.number("layer").is_none_or(|layer| layer >= from)
                && place.iter().all(|(label, value)| metric.place.text(label) == *value)
        };
        let mut sums: Vec<(String, f64, f64)> = Vec::new();
        for metric in self.0.metrics.iter().filter(fits) {
            let seed = metric.place.text("seed");
            match sums.iter_mut().find(|(known, ..)| *known == seed) {
                Some((_, sum, n)) => (*sum, *n) = (*sum + metric.value, *n + 1.0),
                None => sums.push((seed, metric.value, 1.0)),
            }
        }
        sums.into_iter().map(|(seed, sum, n)| (seed, sum / n)).collect()
    }
}

impl Mean {
    fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let values: Vec<f64> = values.collect();
        let (value, ci95) = mean_and_interval(&values);
        (!values.is_empty() && value.is_finite()).then_some(Self { value, ci95 })
    }
}
