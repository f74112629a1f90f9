//! Tables and words of the profile, from its records alone.

use super::METRICS;
use crate::experiments::curves::Curves;
use crate::experiments::profile::Profiled;
use crate::format::short;
use crate::present::Presentation;
use crate::record::Results;
use crate::table::{Cell, Table};

/// The columns of the table that sets the scores side by side: head, metric, filter.
const COLUMNS: [(&str, &str, &str); 10] = [
    ("official", "linearity_official", "all"),
    ("L", "linearity", "all"),
    ("adjusted", "linearity_adjusted", "all"),
    ("held out", "linearity_heldout", "all"),
    ("no sinks, adj.", "linearity_adjusted", "no_sinks"),
    ("without: official", "linearity_official_without_residual", "all"),
    ("L without", "linearity_without_residual", "all"),
    ("adjusted", "linearity_without_residual_adjusted", "all"),
    ("no sinks, adj.", "linearity_without_residual_adjusted", "no_sinks"),
    ("floor", "floor", "all"),
];

/// All there is to say.
pub(super) fn present(results: &Results) -> Presentation {
    let profiled = Profiled::new(results, METRICS);
    let mut words = profiled.presentation("block");
    let models: Vec<String> = profiled
        .ranges("linearity")
        .enumerate()
        .map(|(index, (model, [low, high]))| {
            let (low, high) = (short(low), short(high));
            match index {
                0 => format!("The blocks of {model} are {low} to {high} linear"),
                _ => format!("those of {model} {low} to {high}"),
            }
        })
        .collect();
    if !models.is_empty() {
        words.headline = models.join(", ");
    }
    for (model, [low, high]) in profiled.ranges("linearity_without_residual") {
        words.answer.push(format!(
            "Without the residual stream the blocks of {model} score {} to {}.",
            short(low),
            short(high)
        ));
    }
    for (model, layer, value) in profiled.extremes("linearity", f64::lt) {
        words.answer.push(format!(
            "The least linear block of {model} is number {layer}, at {}.",
            short(value)
        ));
    }
    let side_by_side = SideBySide { curves: Curves::new(results) };
    words.answer.extend(side_by_side.sentences());
    let table = side_by_side.table();
    if !table.rows.is_empty() {
        words.tables.insert(0, table);
    }
    words
}

struct SideBySide<'a> {
    curves: Curves<'a>,
}

impl SideBySide<'_> {
    fn models(&self) -> Vec<String> {
        self.curves.distinct("linearity", "model")
    }

    /// A metric by block.
    fn values(&self, name: &str, model: &str, filter: &str, control: &str) -> Vec<(f64, f64)> {
        let place = [("model", model), ("filter", filter), ("control", control)];
        self.curves.over(name, "layer", &place).iter().map(|at| (at.x, at.value)).collect()
    }

    /// One row per block: the official score, ours, and what is left of it.
    fn table(&self) -> Table {
        let measured: Vec<&(&str, &str, &str)> = COLUMNS
            .iter()
            .filter(|(_, name, filter)| {
                self.models().iter().any(|model| !self.values(name, model, filter, "").is_empty())
            })
            .collect();
        let heads = ["model", "block"].into_iter().chain(measured.iter().map(|(head, ..)| *head));
        let title = "Official, adjusted, held out, without sinks; then without the residual stream";
        let mut table = Table::new("side_by_side", title, heads);
        for model in self.models() {
            let columns: Vec<Vec<(f64, f64)>> = measured
                .iter()
                .map(|(_, name, filter)| self.values(name, &model, filter, ""))
                .collect();
            for (layer, _) in self.values("linearity", &model, "all", "") {
                let cells = columns.iter().map(|column| {
                    let found = column.iter().find(|(at, _)| (at - layer).abs() < 0.5);
                    Cell::from(found.map(|(_, value)| *value))
                });
                let head = [Cell::from(model.as_str()), Cell::from(layer)];
                table.push(head.into_iter().chain(cells.collect::<Vec<_>>()));
            }
        }
        table
    }

    fn sentences(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for model in self.models() {
            let largest = |of: &[(f64, f64)], with: &[(f64, f64)]| {
                let apart = of.iter().filter_map(|(layer, value)| {
                    let (_, other) = with.iter().find(|(at, _)| (at - layer).abs() < 0.5)?;
                    Some((value - other).abs())
                });
                apart.reduce(f64::max)
            };
            let get = |name: &str, filter: &str| self.values(name, &model, filter, "");
            let score = get("linearity", "all");
            if let Some(apart) =
                largest(&get("linearity_adjusted", "no_sinks"), &get("linearity_adjusted", "all"))
            {
                lines.push(format!(
                    "Without first tokens and norm outliers the adjusted score of a block of {model} moves \
                     by {} at most.",
                    short(apart)
                ));
            }
            if let Some(apart) = largest(&get("linearity_official", "all"), &score) {
                lines.push(format!(
                    "The official route differs from ours by {} at most on {model}.",
                    short(apart)
                ));
            }
            if let Some(apart) = self.identity(&model) {
                lines.push(format!(
                    "1 − L = (1 − L without)·norm ratio holds to {} on {model}.",
                    short(apart)
                ));
            }
            let untrained = self.values("linearity_without_residual", &model, "all", "untrained");
            let trained = get("linearity_without_residual", "all");
            let mean = |values: &[(f64, f64)]| {
                values.iter().map(|(_, value)| value).sum::<f64>() / values.len() as f64
            };
            if !untrained.is_empty() && !trained.is_empty() {
                lines.push(format!(
                    "With random weights {model} scores {} without the residual stream, against {}: \
                     means over blocks, of one initialisation.",
                    short(mean(&untrained)),
                    short(mean(&trained))
                ));
            }
        }
        lines
    }

    /// How far the two sides of the identity are apart.
    fn identity(&self, model: &str) -> Option<f64> {
        let get = |name: &str| self.values(name, model, "all", "");
        let (score, without, ratio) =
            (get("linearity"), get("linearity_without_residual"), get("norm_ratio"));
        let tied = score.iter().filter_map(|(layer, score)| {
            let of = |values: &[(f64, f64)]| {
                values.iter().find(|(at, _)| (at - layer).abs() < 0.5).map(|(_, value)| *value)
            };
            Some(((1.0 - score) - (1.0 - of(&without)?) * of(&ratio)?).abs())
        });
        tied.reduce(f64::max)
    }
}
