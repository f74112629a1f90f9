//! Tables of methods side by side, from the records alone.

use crate::experiments::curves::Curves;
use crate::experiments::seeds::{BySeed, Mean};
use crate::record::{Metric, Results};
use crate::table::{Cell, Table};

/// The records of a run, looked up by labels.
pub(super) struct View<'a> {
    pub(super) results: &'a Results,
    pub(super) curves: Curves<'a>,
    pub(super) by_seed: BySeed<'a>,
}

/// Labels of a record.
pub(super) type Labelled<'a> = Vec<(&'a str, &'a str)>;

impl<'a> View<'a> {
    pub(super) fn new(results: &'a Results) -> Self {
        let (curves, by_seed) = (Curves::new(results), BySeed::new(results));
        Self { results, curves, by_seed }
    }

    /// The record with these labels.
    pub(super) fn get(&self, name: &str, place: &[(&str, &str)]) -> Option<&'a Metric> {
        self.results.summary().find(|metric| {
            metric.name == name
                && metric.value.is_finite()
                && place.iter().all(|(label, value)| metric.place.text(label) == *value)
        })
    }

    pub(super) fn value(&self, name: &str, place: &[(&str, &str)]) -> Option<f64> {
        self.get(name, place).map(|metric| metric.value)
    }

    /// How much more `of` has than `than`, seed by seed.
    pub(super) fn difference(
        &self,
        name: &str,
        of: &[(&str, &str)],
        than: &[(&str, &str)],
    ) -> Option<Mean> {
        self.by_seed.change(name, [than, of], 0.0)
    }

    /// The methods that have a record of this name.
    pub(super) fn methods(&self, name: &str) -> Vec<String> {
        self.curves.distinct(name, "method")
    }

    /// Value and deviation, two cells.
    fn pair(&self, name: &str, place: &[(&str, &str)]) -> [Cell; 2] {
        let found = self.get(name, place);
        [Cell::from(found.map(|one| one.value)), Cell::from(found.and_then(|one| one.std))]
    }

    /// One row a method, of every group: measures with their deviation over seeds, then costs.
    pub(super) fn methods_table(
        &self,
        title: &str,
        group: Option<(&str, &[String])>,
        measures: &[(&str, &str)],
        costs: &[Cost],
    ) -> Table {
        let label = group.map(|(label, _)| label);
        let heads = label.into_iter().chain(["method"]).map(str::to_owned);
        let measured = measures.iter().flat_map(|(_, head)| [(*head).to_owned(), "±".to_owned()]);
        let heads = heads.chain(measured).chain(costs.iter().map(|cost| cost.head.to_owned()));
        let mut table = Table::new("methods", title, heads);
        let groups: Vec<Option<&str>> = match group {
            Some((_, values)) => values.iter().map(|value| Some(value.as_str())).collect(),
            None => vec![None],
        };
        for value in groups {
            let of_group: Labelled<'_> = label.zip(value).into_iter().collect();
            for method in self.methods("train_loss") {
                let place = [&of_group[..], &[("method", method.as_str())]].concat();
                if self.get("train_loss", &place).is_none() {
                    continue;
                }
                let mut row: Vec<Cell> = value.map(Cell::from).into_iter().collect();
                row.push(Cell::from(method.as_str()));
                row.extend(measures.iter().flat_map(|(name, _)| self.pair(name, &place)));
                row.extend(costs.iter().map(|cost| {
                    let place = [&place[..], cost.place].concat();
                    Cell::from(self.value(cost.metric, &place).map(|value| value / cost.unit))
                }));
                table.push(row);
            }
        }
        table
    }

    /// How `of` differs from every other method, with intervals over seeds.
    pub(super) fn differences_table(
        &self,
        of: &str,
        group: Option<(&str, &[String])>,
        measures: &[(&str, &str)],
    ) -> Table {
        let label = group.map(|(label, _)| label);
        let heads = label.into_iter().chain(["against"]).map(str::to_owned);
        let heads = heads.chain(
            measures
                .iter()
                .flat_map(|(_, head)| [format!("Δ {head}"), "from".to_owned(), "to".to_owned()]),
        );
        let title = format!("What `{of}` has more than the others: paired, 95 % over seeds");
        let mut table = Table::new("differences", title, heads);
        let groups: Vec<Option<&str>> = match group {
            Some((_, values)) => values.iter().map(|value| Some(value.as_str())).collect(),
            None => vec![None],
        };
        for value in groups {
            let of_group: Labelled<'_> = label.zip(value).into_iter().collect();
            let place = |method| [&of_group[..], &[("method", method)]].concat();
            for method in self.methods("train_loss").iter().filter(|method| *method != of) {
                let found: Vec<Option<Mean>> = measures
                    .iter()
                    .map(|(name, _)| self.difference(name, &place(of), &place(method)))
                    .collect();
                if found.iter().all(Option::is_none) {
                    continue;
                }
                let mut row: Vec<Cell> = value.map(Cell::from).into_iter().collect();
                row.push(Cell::from(method.as_str()));
                for mean in found {
                    let ends = mean.as_ref().and_then(|mean| mean.ci95);
                    row.push(Cell::from(mean.map(|mean| mean.value)));
                    row.push(Cell::from(ends.map(|ends| ends[0])));
                    row.push(Cell::from(ends.map(|ends| ends[1])));
                }
                table.push(row);
            }
        }
        table
    }
}

/// A column that has no deviation.
pub(super) struct Cost {
    pub(super) metric: &'static str,
    pub(super) place: &'static [(&'static str, &'static str)],
    pub(super) head: &'static str,
    pub(super) unit: f64,
}

/// Bytes of a MiB.
const MIB: f64 = 1_048_576.0;

/// What every comparison of trainings shows beside its measures.
pub(super) const COSTS: [Cost; 6] = [
    Cost { metric: "learning_rate", place: &[], head: "learning rate", unit: 1.0 },
    Cost { metric: "trainable", place: &[], head: "trained", unit: 1.0 },
    Cost {
        metric: "persistent_bytes",
        place: &[("source", "planned")],
        head: "persistent, planned (MiB)",
        unit: MIB,
    },
    Cost {
        metric: "peak_bytes",
        place: &[("source", "planned")],
        head: "peak of its own, planned (MiB)",
        unit: MIB,
    },
    Cost {
        metric: "peak_bytes",
        place: &[("source", "measured")],
        head: "peak, measured (MiB)",
        unit: MIB,
    },
    Cost { metric: "step_ms", place: &[], head: "ms a step (wall)", unit: 1.0 },
];

/// The sentence on what bytes are counted.
pub(super) const BYTES: &str = "Planned bytes are the memory planner's: weights, gradients, moments, bases; its peak leaves out the \
                                activations that all methods keep. Measured peaks are all that the program allocated above what \
                                was there before the model, with the up to 256 MiB of large buffers that the CPU backend keeps.";
