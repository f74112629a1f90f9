//! Figures, tables and words of the objectives, from their records alone.

use super::claims::{self, Cell as Place, end, findings, large, named, way};
use super::{OURS, ObjectiveConfig, PAPER, SGD, SVD, WORD2VEC};
use crate::experiments::curves::{At, Curves, line};
use crate::experiments::finding::{self, Verdict};
use crate::figure::{Axis, Chart, Figure, Series};
use crate::format::short;
use crate::present::Presentation;
use crate::published::published;
use crate::record::Results;
use crate::table::{Cell, Table};

/// Methods in the order of the paper's table, ours behind them.
const METHODS: [(&str, &str); 5] = [
    (SGD, "SGD, matched sampling"),
    (WORD2VEC, "SGD, word2vec's options"),
    (SVD, "SVD of SPPMI"),
    (PAPER, "Riemannian, the paper's update"),
    (OURS, "Riemannian, frequency metric"),
];

/// All there is to say.
pub(super) fn present(config: &ObjectiveConfig, results: &Results) -> Presentation {
    let curves = Curves::new(results);
    let view = View { config, results, curves, cells: claims::cells(curves) };
    let findings = findings(curves);
    let headline = match findings[0].verdict {
        Verdict::CannotBeJudged => "Nothing was measured".to_owned(),
        verdict => view.headline(verdict),
    };
    Presentation {
        headline,
        answer: findings.iter().map(|finding| finding.why.clone()).collect(),
        confidence: view.confidence(),
        figures: view.cells.iter().flat_map(|cell| view.figure(cell)).collect(),
        tables: [view.gaps(), finding::table(&findings), view.objectives(), view.steps()]
            .into_iter()
            .filter(|table| !table.rows.is_empty())
            .collect(),
    }
}

struct View<'a> {
    config: &'a ObjectiveConfig,
    results: &'a Results,
    curves: Curves<'a>,
    cells: Vec<Place>,
}

impl View<'_> {
    fn headline(&self, verdict: Verdict) -> String {
        let falls = match verdict {
            Verdict::Holds => "SGD falls behind SVD",
            Verdict::Partly => "SGD falls behind SVD on some objectives",
            _ => "SGD does not fall behind SVD",
        };
        let gaps: Vec<String> = self
            .cells
            .iter()
            .filter_map(|cell| {
                let gap = end(self.curves, "gap_ratio", OURS, cell)?;
                Some(format!("{} % ({})", short((1000.0 * gap).round() / 10.0), named(cell)))
            })
            .collect();
        format!(
            "With matched sampling {falls} in objective; {} iterations of the frequency metric come to \
             {} of the way to the bound",
            self.config.iterations,
            gaps.join(", ")
        )
    }

    fn confidence(&self) -> Vec<String> {
        vec![
            "Objectives are exact sums in natural logarithms. The text is the only sample: they have no \
             interval within a run, and SVD and SGD vary with the seed in the digits beyond those shown."
                .to_owned(),
            format!(
                "SGD makes {} passes with the step length {}; the paper's own SGD settings are not \
                 known. Its numbers are of enwik9 with 24,292 words and grow with the corpus: only \
                 their order can be compared.",
                self.config.sgd.epochs, self.config.sgd.learning_rate
            ),
        ]
    }

    fn figure(&self, cell: &Place) -> Option<Figure> {
        let last = [OURS, PAPER]
            .iter()
            .filter_map(|method| way(self.curves, "objective", method, cell).last().map(|at| at.x))
            .fold(1.0, f64::max);
        let series: Vec<Series> = METHODS
            .iter()
            .enumerate()
            .filter_map(|(index, (method, label))| {
                let mut way = way(self.curves, "objective", method, cell);
                if way.is_empty() {
                    // A method without iterations is a level.
                    let value = end(self.curves, "objective", method, cell)?;
                    way = [0.0, last].map(|x| At { x, value, ci95: None }).to_vec();
                }
                line(label, index, index, &way)
            })
            .collect();
        let bound = self.curves.one("bound", &[("words", &cell.0)]).map(large);
        (!series.is_empty()).then(|| Figure {
            name: format!("objective_{}_{}", cell.0, cell.1),
            title: format!("Objective by iteration, {}", named(cell)),
            caption: format!(
                "Methods without iterations are levels. No matrix of any rank passes {}.",
                bound.unwrap_or_else(|| "the bound".to_owned())
            ),
            part: String::new(),
            chart: Chart::Lines {
                x: "iteration".to_owned(),
                y: "F".to_owned(),
                axis: Axis::Whole,
                series,
            },
        })
    }

    /// How far each method comes, after the iterations that the paper and we stop at.
    fn gaps(&self) -> Table {
        let heads =
            ["words", "d", "method", "after 25", "after 50", "at the end", "λ", "seconds", "clock"];
        let title = "Share of the way from F(0) to the bound, (F − F(0))/(F* − F(0))";
        let mut table = Table::new("gaps", title, heads);
        for cell in &self.cells {
            for (method, label) in METHODS {
                let Some(last) = end(self.curves, "gap_ratio", method, cell) else { continue };
                let way = way(self.curves, "gap_ratio", method, cell);
                let after =
                    |n: f64| way.iter().find(|at| (at.x - n).abs() < 0.5).map(|at| at.value);
                let place = [("method", method), ("words", &cell.0), ("dim", &cell.1)];
                let seconds = self.results.named("cpu_seconds").find(|metric| {
                    place.iter().all(|(label, value)| metric.place.text(label) == *value)
                });
                table.push([
                    Cell::from(cell.0.parse().unwrap_or(f64::NAN)),
                    Cell::from(cell.1.parse().unwrap_or(f64::NAN)),
                    Cell::from(label),
                    Cell::from(after(25.0)),
                    Cell::from(after(50.0)),
                    Cell::from(last),
                    Cell::from(self.curves.one("lambda", &place)),
                    Cell::from(seconds.map(|metric| metric.value)),
                    Cell::from(seconds.map(|metric| {
                        metric.unit.trim_start_matches("s ").trim_matches(['(', ')'])
                    })),
                ]);
            }
        }
        table
    }

    /// The paper's Table 1 with ours beside it.
    fn objectives(&self) -> Table {
        let heads = ["words", "d", "method", "objective", "bound", "published (enwik9)"];
        let mut table = Table::new("objectives", "Objectives, the paper's Table 1", heads);
        let numbers = published("sgns/objective").unwrap_or_default();
        for cell in &self.cells {
            for (method, label) in METHODS {
                let Some(value) = end(self.curves, "objective", method, cell) else { continue };
                let published = numbers.iter().find(|one| {
                    let is = |label: &str, wanted: &str| {
                        one.place.get(label).is_some_and(|label| label.to_string() == wanted)
                    };
                    is("method", method) && is("dim", &cell.1)
                });
                table.push([
                    Cell::from(cell.0.parse().unwrap_or(f64::NAN)),
                    Cell::from(cell.1.parse().unwrap_or(f64::NAN)),
                    Cell::from(label),
                    Cell::from(value),
                    Cell::from(self.curves.one("bound", &[("words", &cell.0)])),
                    Cell::from(published.map(|one| one.value)),
                ]);
            }
        }
        table
    }

    /// What each step of the paper's update came to.
    fn steps(&self) -> Table {
        let heads =
            ["words", "d", "λ", "objective at the end", "iterations in which it fell", "taken"];
        let mut table = Table::new("steps", "Steps of the paper's update", heads);
        for metric in self.results.named("step_objective") {
            let place = |label: &str| metric.place.text(label);
            let (words, dim, lambda) = (place("words"), place("dim"), place("lambda"));
            let at = [("words", words.as_str()), ("dim", &dim), ("lambda", &lambda)];
            let best = [("method", PAPER), ("words", &words), ("dim", &dim)];
            let taken = self.curves.one("lambda", &best).zip(metric.place.number("lambda"));
            let taken = taken.is_some_and(|(a, b)| (a - b).abs() <= 1e-9 * a);
            table.push([
                Cell::from(metric.place.number("words")),
                Cell::from(metric.place.number("dim")),
                Cell::from(metric.place.number("lambda")),
                Cell::from(metric.value),
                Cell::from(self.curves.one("falls", &at)),
                Cell::from(if taken { "yes" } else { "" }),
            ]);
        }
        table
    }
}
