//! What the records of a comparison of tables say: values by table, and what is lost against the
//! dense one.

use crate::experiments::curves::{At, Curves, line};
use crate::experiments::seeds::{BySeed, Mean};
use crate::figure::{Axis, Chart, Figure};
use crate::record::{Metric, Results};

/// What the others are compared with.
const DENSE: &str = "dense";

/// The records of a comparison, whose tables are told apart by the label `embedding`.
pub(in super::super) struct Comparison<'a> {
    results: &'a Results,
    curves: Curves<'a>,
    by_seed: BySeed<'a>,
    /// The tables that have a value of the metric that counts, in their order.
    pub(in super::super) names: Vec<String>,
}

impl<'a> Comparison<'a> {
    /// Of the tables that have a value of `metric`.
    pub(in super::super) fn new(results: &'a Results, metric: &str) -> Self {
        let curves = Curves::new(results);
        let names = curves.distinct(metric, "embedding");
        Self { results, curves, by_seed: BySeed::new(results), names }
    }

    /// The seeds that have values.
    pub(in super::super) fn seeds(&self) -> usize {
        self.results.seeds.len()
    }

    /// A value that belongs to no table.
    pub(in super::super) fn common(&self, metric: &str) -> Option<f64> {
        self.curves.one(metric, &[])
    }

    /// A value of a table.
    pub(in super::super) fn one(&self, metric: &str, name: &str) -> Option<f64> {
        self.curves.one(metric, &[("embedding", name)])
    }

    /// The record of a table.
    pub(in super::super) fn record(&self, metric: &str, name: &str) -> Option<&'a Metric> {
        let mut all = self.results.summary();
        all.find(|one| one.name == metric && one.place.text("embedding") == name)
    }

    /// The dense table.
    pub(in super::super) fn dense(&self) -> Option<&str> {
        self.names.iter().map(String::as_str).find(|name| Self::is_dense(name))
    }

    fn is_dense(name: &str) -> bool {
        name.starts_with(DENSE)
    }

    /// The tables that are not dense.
    pub(in super::super) fn small(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str).filter(|name| !Self::is_dense(name))
    }

    /// How much larger a value is than that of the dense table, seed by seed.
    pub(in super::super) fn gain(&self, metric: &str, name: &str) -> Option<Mean> {
        let places = [[("embedding", self.dense()?)], [("embedding", name)]];
        self.by_seed.change(metric, [&places[0], &places[1]], 0.0)
    }

    /// A metric over the compression of the tables, a point for each.
    pub(in super::super) fn figure(&self, metric: &str, title: &str, caption: &str) -> Figure {
        let series = self.names.iter().enumerate().filter_map(|(index, name)| {
            let found = self.record(metric, name)?;
            let x = self.one("compression", name)?;
            line(name, index, index, &[At { x, value: found.value, ci95: found.ci95 }])
        });
        Figure {
            name: metric.to_owned(),
            title: title.to_owned(),
            caption: caption.to_owned(),
            part: String::new(),
            chart: Chart::Lines {
                x: "compression".to_owned(),
                y: metric.to_owned(),
                axis: Axis::Log,
                series: series.collect(),
            },
        }
    }
}
