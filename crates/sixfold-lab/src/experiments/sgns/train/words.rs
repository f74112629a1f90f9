//! Figures, tables and words of a training, from its records alone.

use super::super::evaluation::set_name;
use super::super::method::Method;
use super::TrainConfig;
use crate::experiments::curves::{Curves, line};
use crate::figure::{Axis, Chart, Figure};
use crate::format::{duration, short};
use crate::present::Presentation;
use crate::record::Results;
use crate::table::{Cell, Table};

/// All there is to say.
pub(super) fn present(config: &TrainConfig, results: &Results) -> Presentation {
    let view = View { config, results, curves: Curves::new(results) };
    Presentation {
        headline: view.headline(),
        answer: view.answer(),
        confidence: view.confidence(),
        figures: view.figures(),
        tables: [view.scores(), view.stages()]
            .into_iter()
            .filter(|table| !table.rows.is_empty())
            .collect(),
    }
}

struct View<'a> {
    config: &'a TrainConfig,
    results: &'a Results,
    curves: Curves<'a>,
}

impl View<'_> {
    fn words(&self) -> String {
        self.curves.one("words", &[]).map_or_else(|| "?".to_owned(), short)
    }

    fn headline(&self) -> String {
        let best = ["EN-MEN-TR-3k", "EN-WS-353-ALL"].into_iter().find_map(|set| {
            let value = self.curves.one("similarity", &[("set", set)])?;
            Some(format!(", {} on {}", short(value), set_name(set)))
        });
        let google = self.curves.one("analogy", &[("set", "google")]).map(|share| {
            format!(", {} % of the Google analogies", short((1000.0 * share).round() / 10.0))
        });
        format!(
            "{} vectors of length {} by {}{}{}",
            self.words(),
            self.config.dim,
            self.config.method.name(),
            best.unwrap_or_default(),
            google.unwrap_or_default()
        )
    }

    fn answer(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let way = self.curves.over("gap_ratio", "iteration", &[]);
        match (way.first(), way.last()) {
            (Some(first), Some(last)) => lines.push(format!(
                "In {} iterations the objective comes from {} % to {} % of the way from the zero \
                 matrix to the bound that no rank can pass.",
                short(last.x),
                short(100.0 * first.value),
                short(100.0 * last.value)
            )),
            _ => {
                if let Some(gap) = self.curves.one("gap_ratio", &[]) {
                    lines.push(format!(
                        "The objective ends at {} % of the way from the zero matrix to the bound that \
                         no rank can pass.",
                        short(100.0 * gap)
                    ));
                }
            }
        }
        let seconds: f64 = self.results.named("cpu_seconds").map(|metric| metric.value).sum();
        let evaluating = self.curves.one("cpu_seconds", &[("stage", "evaluate")]).unwrap_or(0.0);
        if let Some(unit) = self.results.named("cpu_seconds").map(|metric| &metric.unit).next() {
            lines.push(format!(
                "From the text to the vectors: {} {}.",
                duration(seconds - evaluating),
                unit.trim_start_matches("s ")
            ));
        }
        lines
    }

    fn confidence(&self) -> Vec<String> {
        let mut lines = vec![
            "Intervals of scores are 95 % by the bootstrap over the questions of a list; they do not \
             show what another text would change."
                .to_owned(),
        ];
        if self.config.method == Method::Sgd && self.config.sgd.threads > 1 {
            lines.push("Several threads share the vectors: another run gives others.".to_owned());
        }
        lines
    }

    fn figures(&self) -> Vec<Figure> {
        let way = self.curves.over("gap_ratio", "iteration", &[]);
        let series: Vec<_> = line("share of the way", 0, 0, &way).into_iter().collect();
        if way.len() < 2 {
            return Vec::new();
        }
        vec![Figure {
            name: "objective".to_owned(),
            title: "Objective by iteration".to_owned(),
            caption:
                "As a share of the way from F(0) to the bound F*, which no matrix of any rank \
                      passes; rank is what keeps it below 1."
                    .to_owned(),
            part: String::new(),
            chart: Chart::Lines {
                x: "iteration".to_owned(),
                y: "(F − F(0))/(F* − F(0))".to_owned(),
                axis: Axis::Whole,
                series,
            },
        }]
    }

    fn scores(&self) -> Table {
        let heads = ["set", "score", "low", "high", "questions asked", "coverage"];
        let mut table = Table::new("scores", "Scores with 95 % intervals", heads);
        for name in ["similarity", "analogy"] {
            for metric in self.results.named(name) {
                let set = metric.place.text("set");
                let of = |name: &str| self.curves.one(name, &[("set", &set)]);
                table.push([
                    Cell::from(set_name(&set)),
                    Cell::from(metric.value),
                    Cell::from(metric.ci95.map(|ends| ends[0])),
                    Cell::from(metric.ci95.map(|ends| ends[1])),
                    Cell::from(of("pairs")),
                    Cell::from(of("coverage")),
                ]);
            }
        }
        table
    }

    fn stages(&self) -> Table {
        let heads = ["stage", "seconds", "clock", "tokens a second"];
        let mut table = Table::new("stages", "Time of the stages", heads);
        for metric in self.results.named("cpu_seconds") {
            let stage = metric.place.text("stage");
            table.push([
                Cell::from(stage.as_str()),
                Cell::from(metric.value),
                Cell::from(metric.unit.trim_start_matches("s ").trim_matches(['(', ')'])),
                Cell::from(self.curves.one("tokens_per_second", &[("stage", &stage)])),
            ]);
        }
        table
    }
}
