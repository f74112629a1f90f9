//! Looks up lines of records: values over a numeric label, everything else held fixed.

use crate::figure::{Point, Series};
use crate::record::{Metric, Results};

/// The records of a run.
#[derive(Clone, Copy)]
pub(in crate::experiments) struct Curves<'a>(&'a Results);

/// A value on a curve with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::experiments) struct At {
    pub(in crate::experiments) x: f64,
    pub(in crate::experiments) value: f64,
    pub(in crate::experiments) ci95: Option<[f64; 2]>,
}

impl At {
    /// Whether it lies above `other`, intervals apart. Without intervals nothing is clear.
    pub(in crate::experiments) fn clearly_above(&self, other: &Self) -> bool {
        match (self.ci95, other.ci95) {
            (Some([low, _]), Some([_, high])) => low > high,
            _ => false,
        }
    }
}

impl<'a> Curves<'a> {
    pub(in crate::experiments) fn new(results: &'a Results) -> Self {
        Self(results)
    }

    /// The values of a label, in the order of the records.
    pub(in crate::experiments) fn distinct(&self, name: &str, label: &str) -> Vec<String> {
        let mut values: Vec<String> = Vec::new();
        for metric in self.0.summary().filter(|metric| metric.name == name) {
            let value = metric.place.text(label);
            if !value.is_empty() && !values.contains(&value) {
                values.push(value);
            }
        }
        values
    }

    /// The records called `name` whose labels are as `place` says, over the label `x`.
    pub(in crate::experiments) fn records(
        &self,
        name: &str,
        x: &str,
        place: &[(&str, &str)],
    ) -> Vec<(f64, &'a Metric)> {
        let fits = |metric: &Metric| {
            metric.name == name
                && place.iter().all(|(label, value)| metric.place.text(label) == *value)
        };
        let mut records: Vec<(f64, &Metric)> = self
            .0
            .summary()
            .filter(|metric| fits(metric))
            .filter_map(|metric| Some((metric.place.number(x)?, metric)))
            .collect();
        records.sort_by(|a, b| a.0.total_cmp(&b.0));
        records
    }

    /// The same as points, without values that are not finite.
    pub(in crate::experiments) fn over(
        &self,
        name: &str,
        x: &str,
        place: &[(&str, &str)],
    ) -> Vec<At> {
        let records = self.records(name, x, place).into_iter();
        records
            .filter(|(_, metric)| metric.value.is_finite())
            .map(|(x, metric)| At { x, value: metric.value, ci95: metric.ci95 })
            .collect()
    }

    /// The only record called `name` with these labels.
    pub(in crate::experiments) fn one(&self, name: &str, place: &[(&str, &str)]) -> Option<f64> {
        let mut found = self.0.summary().filter(|metric| {
            metric.name == name
                && place.iter().all(|(label, value)| metric.place.text(label) == *value)
        });
        found.next().map(|metric| metric.value).filter(|value| value.is_finite())
    }
}

/// A line of a chart; none without points.
pub(in crate::experiments) fn line(
    label: &str,
    colour: usize,
    dash: usize,
    curve: &[At],
) -> Option<Series> {
    let points: Vec<Point> =
        curve.iter().map(|at| Point { x: at.x, y: at.value, band: at.ci95 }).collect();
    (!points.is_empty()).then(|| Series { label: label.to_owned(), colour, dash, points })
}

/// The points with `x` as a share of the largest one.
pub(in crate::experiments) fn relative(mut curve: Vec<At>) -> Vec<At> {
    let deepest = curve.iter().map(|at| at.x).fold(1.0, f64::max);
    curve.iter_mut().for_each(|at| at.x /= deepest);
    curve
}
