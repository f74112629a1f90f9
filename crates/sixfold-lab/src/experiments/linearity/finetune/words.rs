//! Figures, tables and words of the fine-tunings, from their records alone.

use super::FinetuneConfig;
use crate::experiments::curves::{At, Curves, line};
use crate::experiments::finding::{self, Finding, Verdict};
use crate::experiments::seeds::{BySeed, Mean};
use crate::figure::{Axis, Chart, Figure};
use crate::present::Presentation;
use crate::record::Results;
use crate::table::{Cell, Table};

/// Measures of a block whose change is shown: name and title.
const MEASURES: [(&str, &str); 4] = [
    ("linearity_without_residual", "Linearity without the residual stream"),
    ("linearity", "Linearity of each block"),
    ("norm_ratio", "Norm ratio ‖Y − X‖²/‖Y‖²"),
    ("residual_error", "What the affine map leaves, ‖Y − XA‖² per token"),
];

/// All there is to say.
pub(super) fn present(config: &FinetuneConfig, results: &Results) -> Presentation {
    let curves = Curves::new(results);
    let view = View {
        results,
        curves,
        by_seed: BySeed::new(results),
        tasks: curves.distinct("accuracy", "task"),
        controls: curves.distinct("accuracy", "control"),
        filter: config.filters.first().map_or("all", |filter| filter.name()),
        model: config.model.name(),
    };
    let findings = view.findings();
    Presentation {
        headline: view.headline(),
        answer: findings.iter().map(|finding| finding.why.clone()).collect(),
        confidence: view.confidence(config),
        figures: view.figures(),
        tables: [view.summary(), finding::table(&findings), view.layers()]
            .into_iter()
            .filter(|table| !table.rows.is_empty())
            .collect(),
    }
}

struct View<'a> {
    results: &'a Results,
    curves: Curves<'a>,
    by_seed: BySeed<'a>,
    tasks: Vec<String>,
    controls: Vec<String>,
    filter: &'static str,
    model: String,
}

impl View<'_> {
    /// The change of a measure averaged over the blocks, with its interval over seeds.
    fn change(&self, name: &str, task: &str, control: &str) -> Option<Mean> {
        let [before, after] = ["before", "after"].map(|stage| {
            [("stage", stage), ("task", task), ("control", control), ("filter", self.filter)]
        });
        self.by_seed.change(name, [&before, &after], 0.0)
    }

    fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for task in &self.tasks {
            let change = |name: &str| self.change(name, task, "none");
            let (Some(without), Some(with), Some(ratio)) =
                (change("linearity_without_residual"), change("linearity"), change("norm_ratio"))
            else {
                continue;
            };
            let verdict = match without.ci95 {
                Some([low, _]) if low > 0.0 => Verdict::Holds,
                Some([_, high]) if high < 0.0 => Verdict::DoesNotHold,
                _ => Verdict::CannotBeJudged,
            };
            let mut why = format!(
                "{task}: averaged over the blocks, L without the residual stream changes by {}; L \
                 by {}, the norm ratio by {}",
                said(&without),
                said(&with),
                said(&ratio)
            );
            if let Some(control) = self.change("linearity_without_residual", task, "shuffled") {
                why.push_str(&format!(
                    ". The same training with the classes dealt out anew changes it by {}",
                    said(&control)
                ));
            }
            why.push('.');
            let claim = format!("Fine-tuning raises L without the residual stream ({task})");
            findings.push(Finding::new(claim, verdict, why));
        }
        findings
    }

    fn headline(&self) -> String {
        let gains: Vec<String> = self
            .tasks
            .iter()
            .filter_map(|task| {
                let change = self.change("linearity_without_residual", task, "none")?;
                Some(format!("{} on {task}", said(&Mean { ci95: None, ..change })))
            })
            .collect();
        match gains.is_empty() {
            true => "Nothing was measured".to_owned(),
            false => format!(
                "Fine-tuning {} changes L without the residual stream by {}",
                self.model,
                gains.join(", ")
            ),
        }
    }

    fn confidence(&self, config: &FinetuneConfig) -> Vec<String> {
        let seeds = self.results.seeds.len();
        let mut lines = vec![match seeds {
            0 | 1 => "One seed: changes have no interval, and nothing can be judged.".to_owned(),
            _ => format!(
                "{seeds} seeds draw the examples, the head and the order; intervals over them."
            ),
        }];
        lines.push(format!(
            "Up to {} examples and {} epochs a task; both stages are measured on the same sentences, \
             those that are scored. The paper gives neither token counts nor hyper-parameters, and \
             its models and tasks (OPT, Llama 2, GPT-2; MultiRC, BoolQ, CB) are others: `compare \
             linearity/finetune` prints its table.",
            config.recipe.max_train, config.recipe.epochs
        ));
        lines
    }

    fn figures(&self) -> Vec<Figure> {
        let mut figures = Vec::new();
        for task in &self.tasks {
            for (name, title) in MEASURES {
                let mut series = Vec::new();
                let lines = [("before", "none"), ("after", "none"), ("after", "shuffled")];
                for (index, (stage, control)) in lines.into_iter().enumerate() {
                    let place = [
                        ("task", task.as_str()),
                        ("stage", stage),
                        ("control", control),
                        ("filter", self.filter),
                    ];
                    let label = match control {
                        "none" => stage.to_owned(),
                        _ => format!("{stage}, classes shuffled"),
                    };
                    let curve = self.curves.over(name, "layer", &place);
                    series.extend(line(&label, index, index, &curve));
                }
                figures.push(Figure {
                    name: format!("{task}_{name}"),
                    title: format!("{title}, {task}"),
                    caption:
                        "Before and after fine-tuning, and after the same training on classes \
                              dealt out anew. Bands: 95\u{a0}% over seeds."
                            .to_owned(),
                    part: task.clone(),
                    chart: Chart::Lines {
                        x: "block".to_owned(),
                        y: name.replace('_', " "),
                        axis: Axis::Whole,
                        series,
                    },
                });
            }
        }
        figures
    }

    /// One row per task and control.
    fn summary(&self) -> Table {
        let heads = ["task", "control", "accuracy", "majority"].map(str::to_owned);
        let heads = heads.into_iter().chain(MEASURES.iter().map(|(name, _)| format!("Δ {name}")));
        let mut table = Table::new("summary", "Changes averaged over the blocks", heads);
        for task in &self.tasks {
            for control in &self.controls {
                let place = [("task", task.as_str()), ("control", control.as_str())];
                let mut row = vec![
                    Cell::from(task.as_str()),
                    Cell::from(control.as_str()),
                    Cell::from(self.curves.one("accuracy", &place)),
                    Cell::from(self.curves.one("majority", &place[..1])),
                ];
                row.extend(MEASURES.iter().map(|(name, _)| {
                    Cell::from(self.change(name, task, control).map(|at| at.value))
                }));
                table.push(row);
            }
        }
        table
    }

    /// One row per task, control and block.
    fn layers(&self) -> Table {
        let heads = ["task", "control", "block"].map(str::to_owned);
        let heads = heads.into_iter().chain(
            MEASURES
                .iter()
                .flat_map(|(name, _)| ["before", "after"].map(|stage| format!("{name}, {stage}"))),
        );
        let mut table = Table::new("layers", "Every block", heads);
        for task in &self.tasks {
            for control in &self.controls {
                let column = |name: &str, stage: &str| {
                    let place = [
                        ("task", task.as_str()),
                        ("control", control.as_str()),
                        ("stage", stage),
                        ("filter", self.filter),
                    ];
                    self.curves.over(name, "layer", &place)
                };
                let columns: Vec<Vec<At>> = MEASURES
                    .iter()
                    .flat_map(|(name, _)| ["before", "after"].map(|stage| column(name, stage)))
                    .collect();
                for at in columns.first().into_iter().flatten() {
                    let cells = columns.iter().map(|curve| {
                        let found = curve.iter().find(|one| (one.x - at.x).abs() < 0.5);
                        Cell::from(found.map(|one| one.value))
                    });
                    let head =
                        [Cell::from(task.as_str()), Cell::from(control.as_str()), Cell::from(at.x)];
                    table.push(head.into_iter().chain(cells.collect::<Vec<_>>()));
                }
            }
        }
        table
    }
}

/// A change with its interval, signed.
fn said(at: &Mean) -> String {
    finding::change(at.value, at.ci95)
}
