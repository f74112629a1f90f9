//! The numbers of a sweep: which metrics all cells share, and what they say.

use std::collections::HashMap;

use super::grid::Axis;
use super::plan::Cell as Planned;
use crate::format::{number, short};
use crate::record::{Better, Label, Labels, Metric, Results};
use crate::table::{Cell, Table};

/// Up to so many metrics, a row is a cell; beyond, a column is one.
const WIDE: usize = 8;

/// Name and labels of a metric.
pub(super) type Key = (String, String);

/// A complete cell.
pub(super) struct Done<'a> {
    cell: &'a Planned,
    label: String,
    order: Vec<Key>,
    metrics: HashMap<Key, &'a Metric>,
}

impl<'a> Done<'a> {
    /// The cell with its numbers; those of single seeds among several are left out.
    pub(super) fn new(cell: &'a Planned, results: &'a Results) -> Self {
        let key = |metric: &Metric| (metric.name.clone(), place(metric, &cell.swept));
        let metrics = results.summary().map(|metric| (key(metric), metric)).collect();
        let order = results.summary().map(key).collect();
        Self { cell, label: cell.label(), order, metrics }
    }
}

/// The labels of a metric, without those that say again what was swept: of `rank=8,16` the metrics
/// at `rank=8` and at `rank=16` belong side by side.
fn place(metric: &Metric, swept: &[(String, String)]) -> String {
    let says = |name: &str, label: &Label| {
        swept.iter().any(|(key, value)| {
            let key = key.rsplit('.').next().unwrap_or(key);
            // A list of one is named in the plural.
            let value = value.trim_matches(['[', ']', '"', '\'', ' ']);
            let number = label.number();
            (key == name || key.strip_suffix('s') == Some(name))
                && (value == label.to_string() || number.is_some() && value.parse().ok() == number)
        })
    };
    let mut kept = Labels::default();
    for (name, label) in metric.place.iter().filter(|(name, label)| !says(name, label)) {
        kept.set(name, label.clone());
    }
    kept.to_string()
}

/// The metrics that every complete cell has, in the order of the first.
pub(super) fn shared(complete: &[Done<'_>]) -> Vec<Key> {
    let mut shared = complete.first().map(|first| first.order.clone()).unwrap_or_default();
    shared.retain(|key| complete.iter().all(|cell| cell.metrics.contains_key(key)));
    shared
}

/// The swept keys against the shared metrics.
pub(super) fn numbers(swept: &[Axis], complete: &[Done<'_>], shared: &[Key]) -> Table {
    if shared.len() > WIDE {
        let heads = ["metric", "where"].map(str::to_owned).into_iter();
        let heads = heads.chain(complete.iter().map(|cell| cell.label.clone()));
        let mut table = Table::new("numbers", "The numbers", heads);
        for key in shared {
            let names = [&key.0, &key.1].map(|text| Cell::from(text.as_str())).into_iter();
            table.push(names.chain(complete.iter().map(|cell| shown(cell.metrics[key]))));
        }
        return table;
    }
    let heads = swept.iter().map(|axis| axis.key.clone());
    let heads = heads.chain(shared.iter().map(|(name, place)| format!("{name}{}", within(place))));
    let mut table = Table::new("numbers", "The numbers", heads);
    for Done { cell, metrics, .. } in complete {
        let values = cell.swept.iter().map(|(_, value)| match value.parse::<f64>() {
            Ok(number) => Cell::from(number),
            Err(_) => Cell::from(value.as_str()),
        });
        table.push(values.chain(shared.iter().map(|key| shown(metrics[key]))));
    }
    table
}

/// The value with its interval.
fn shown(metric: &Metric) -> Cell {
    match metric.ci95 {
        Some([low, high]) => {
            let [value, low, high] = [metric.value, low, high].map(number);
            Cell::from(format!("{value} ({low} to {high})"))
        }
        None => Cell::from(metric.value),
    }
}

fn within(place: &str) -> String {
    if place.is_empty() { String::new() } else { format!(" ({place})") }
}

/// What came out, of the first metric that has a direction and depends on the keys, those with an
/// interval first and costs last; where there is none, of the first that depends on them.
pub(super) fn sentence(complete: &[Done<'_>], shared: &[Key], cells: usize) -> String {
    if complete.is_empty() {
        return format!("None of {cells} cells is complete");
    }
    let varying = shared.iter().filter_map(|key| Range::of(complete, key));
    let mut varying: Vec<Range> = varying.collect();
    varying.sort_by_key(|range| range.rank);
    match varying.first() {
        Some(range) => range.sentence(),
        None => format!("{} of {cells} cells are complete", complete.len()),
    }
}

/// Where a metric is smallest and where it is largest.
struct Range {
    name: String,
    better: Better,
    rank: u8,
    low: String,
    high: String,
}

impl Range {
    /// None of a metric that is the same in all cells, or not a number in one.
    fn of(complete: &[Done<'_>], key: &Key) -> Option<Self> {
        let values = complete.iter().map(|cell| (cell.metrics[key].value, &cell.label));
        let mut values: Vec<(f64, &String)> = values.collect();
        // The first of equals stays first.
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (low, high) = (values.first()?, values.last()?);
        if !(low.0.is_finite() && high.0.is_finite() && low.0 < high.0) {
            return None;
        }
        let at = |(value, label): &(f64, &String)| format!("{} at {label}", short(*value));
        let first = complete[0].metrics[key];
        // Times and sizes are of every run; what was asked is mostly something else.
        let cost = ["seconds", "_per_second", "_ms", "_bytes"];
        let rank = match (first.better, first.ci95) {
            (Better::None, _) => 3,
            _ if cost.iter().any(|end| first.name.ends_with(end)) => 2,
            (_, None) => 1,
            (_, Some(_)) => 0,
        };
        Some(Self {
            rank,
            name: format!("{}{}", key.0, within(&key.1)),
            better: first.better,
            low: at(low),
            high: at(high),
        })
    }

    fn sentence(&self) -> String {
        let Self { name, better, low, high, .. } = self;
        match better {
            Better::Higher => format!("{name} is best with {high}, worst with {low}"),
            Better::Lower => format!("{name} is best with {low}, worst with {high}"),
            Better::None => format!("{name} goes from {low} to {high}"),
        }
    }
}
