//! Words and tables on bytes and times, from the records alone.

use super::super::words::View;
use super::CostConfig;
use crate::experiments::finding::{self, Finding, Verdict};
use crate::format::short;
use crate::present::Presentation;
use crate::record::Results;
use crate::table::{Cell, Table};

const OURS: &str = "sparsegrad";

/// Columns: metric, head, unit.
const COLUMNS: [(&str, &str, f64); 5] = [
    ("trainable", "trained", 1.0),
    ("predicted_bytes", "predicted (MiB)", 1_048_576.0),
    ("persistent_bytes", "persistent (MiB)", 1_048_576.0),
    ("peak_bytes", "peak (MiB)", 1_048_576.0),
    ("step_ms", "ms a step (wall)", 1.0),
];

/// All there is to say.
pub(super) fn present(config: &CostConfig, results: &Results) -> Presentation {
    let view = View::new(results);
    let words = Words { shapes: view.curves.distinct("step_ms", "shape"), view };
    let findings: Vec<Finding> =
        words.shapes.iter().flat_map(|shape| words.findings(shape)).collect();
    Presentation {
        headline: words.headline(),
        answer: findings.iter().map(|finding| finding.why.clone()).collect(),
        confidence: vec![
            "Persistent bytes are all that the program has allocated after a backward pass, above what was there before the \
             model: weights, gradients, moments, bases, indices. The peak is the most within that step. The CPU backend's \
             pool of large buffers (256 MiB at most) is off while bytes are counted and on while times are taken."
                .to_owned(),
            format!(
                "Weights, bases and entries are random, which costs what trained ones do. Of entries that change from step to \
                 step, those of the two counted steps have moments; a long training has up to eight times k of them. Times \
                 are medians of {} steps of {} × {} tokens, the methods in turns in one process; calibration is not in them.",
                config.rounds * config.steps,
                config.batch_size,
                config.tokens
            ),
        ],
        figures: Vec::new(),
        tables: [words.table(), finding::table(&findings)]
            .into_iter()
            .filter(|table| !table.rows.is_empty())
            .collect(),
    }
}

struct Words<'a> {
    view: View<'a>,
    shapes: Vec<String>,
}

impl Words<'_> {
    fn value(&self, name: &str, shape: &str, method: &str) -> Option<f64> {
        self.view.value(name, &[("shape", shape), ("method", method)])
    }

    /// Of a measure, the part that one method has of another's.
    fn ratio(&self, name: &str, shape: &str, [of, to]: [&str; 2]) -> Option<f64> {
        Some(self.value(name, shape, of)? / self.value(name, shape, to)?)
    }

    fn findings(&self, shape: &str) -> Vec<Finding> {
        let bound = |claim: &str, bounds: &[(&str, [&str; 2], f64, &str)]| {
            let mut why = Vec::new();
            let mut held = Vec::new();
            for (name, pair, most, words) in bounds {
                let ratio = self.ratio(name, shape, *pair)?;
                held.push(ratio <= *most);
                why.push(format!("{words} are {} (at most {most})", short(ratio)));
            }
            let verdict = match (held.iter().all(|one| *one), held.iter().any(|one| *one)) {
                (true, _) => Verdict::Holds,
                (_, true) => Verdict::Partly,
                _ => Verdict::DoesNotHold,
            };
            let why = format!("{shape}: {}.", why.join("; "));
            Some(Finding::new(format!("{claim} ({shape})"), verdict, why))
        };
        let ours = bound(
            "In place, the default needs no more than LoRA and less time than full fine-tuning",
            &[
                ("persistent_bytes", [OURS, "lora"], 1.05, "persistent bytes over LoRA's"),
                ("step_ms", [OURS, "lora"], 1.2, "step times over LoRA's"),
                ("step_ms", [OURS, "full"], 0.9, "step times over full fine-tuning's"),
            ],
        );
        let paper = bound(
            "The paper's mode saves memory",
            &[(
                "persistent_bytes",
                ["sparsegrad-paper", "full"],
                0.7,
                "persistent bytes of the paper's mode over full fine-tuning's",
            )],
        );
        [ours, paper, self.planner(shape)].into_iter().flatten().collect()
    }

    /// How far the planner is off at most.
    fn planner(&self, shape: &str) -> Option<Finding> {
        let methods = self.view.methods("persistent_bytes");
        let errors = methods.iter().filter_map(|method| {
            let ratio = self.value("predicted_bytes", shape, method)?
                / self.value("persistent_bytes", shape, method)?;
            Some((method, (ratio - 1.0).abs()))
        });
        let (method, worst) = errors.max_by(|a, b| a.1.total_cmp(&b.1))?;
        let verdict = if worst <= 0.02 { Verdict::Holds } else { Verdict::DoesNotHold };
        let why = format!(
            "{shape}: the planner is at most {} % off, for `{method}`.",
            short(100.0 * worst)
        );
        Some(Finding::new(format!("The planner is within 2 % ({shape})"), verdict, why))
    }

    fn headline(&self) -> String {
        let parts: Vec<String> = self
            .shapes
            .iter()
            .filter_map(|shape| {
                let bytes = self.ratio("persistent_bytes", shape, [OURS, "lora"]);
                let [lora, full] =
                    ["lora", "full"].map(|than| self.ratio("step_ms", shape, [OURS, than]));
                let bytes = bytes.map(|ratio| format!("{} of LoRA's bytes, ", short(ratio)));
                Some(format!(
                    "{shape}: {}{} of its step time and {} of full fine-tuning's",
                    bytes.unwrap_or_default(),
                    short(lora?),
                    short(full?)
                ))
            })
            .collect();
        match parts.is_empty() {
            true => "SparseGrad, LoRA and full fine-tuning were not all measured".to_owned(),
            false => format!("SparseGrad needs, on {}", parts.join("; ")),
        }
    }

    fn table(&self) -> Table {
        let heads = ["shape", "method"].into_iter().chain(COLUMNS.iter().map(|(_, head, _)| *head));
        let ratios = ["persistent over LoRA", "time over LoRA", "time over full"];
        let title = "Bytes and times of a step";
        let mut table = Table::new("costs", title, heads.chain(ratios));
        for shape in &self.shapes {
            for method in self.view.methods("step_ms") {
                if self.value("step_ms", shape, &method).is_none() {
                    continue;
                }
                let mut row = vec![Cell::from(shape.as_str()), Cell::from(method.as_str())];
                row.extend(COLUMNS.iter().map(|(name, _, unit)| {
                    Cell::from(self.value(name, shape, &method).map(|value| value / unit))
                }));
                for (name, to) in
                    [("persistent_bytes", "lora"), ("step_ms", "lora"), ("step_ms", "full")]
                {
                    row.push(Cell::from(self.ratio(name, shape, [&method, to])));
                }
                table.push(row);
            }
        }
        table
    }
}
