//! Figures, a table and words on accuracy against size, from the records alone.

use super::SentimentConfig;
use crate::experiments::curves::{At, Curves, line};
use crate::experiments::finding::change;
use crate::experiments::seeds::{BySeed, Mean};
use crate::figure::{Axis, Chart, Figure};
use crate::format::short;
use crate::present::Presentation;
use crate::record::{Metric, Results};
use crate::table::{Cell, Table};

/// What the others are compared with.
const DENSE: &str = "dense";

/// All there is to say.
pub(super) fn present(config: &SentimentConfig, results: &Results) -> Presentation {
    let curves = Curves::new(results);
    let names = curves.distinct("accuracy", "embedding");
    let view = View { results, curves, by_seed: BySeed::new(results), names };
    Presentation {
        headline: view.headline(),
        answer: view.answer(),
        confidence: view.confidence(config),
        figures: view.figures(),
        tables: vec![view.table()],
    }
}

struct View<'a> {
    results: &'a Results,
    curves: Curves<'a>,
    by_seed: BySeed<'a>,
    names: Vec<String>,
}

impl View<'_> {
    fn one(&self, metric: &str, name: &str) -> Option<f64> {
        self.curves.one(metric, &[("embedding", name)])
    }

    fn accuracy(&self, name: &str) -> Option<&Metric> {
        let mut found = self.results.named("accuracy");
        found.find(|metric| metric.place.text("embedding") == name)
    }

    /// How much more accurate it is than over the dense table, in points, seed by seed.
    fn gain(&self, name: &str) -> Option<Mean> {
        let places = [[("embedding", DENSE)], [("embedding", name)]];
        let gain = self.by_seed.change("accuracy", [&places[0], &places[1]], 0.0)?;
        let points = |value: f64| 100.0 * value;
        Some(Mean { value: points(gain.value), ci95: gain.ci95.map(|ends| ends.map(points)) })
    }

    fn others(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str).filter(|name| *name != DENSE)
    }

    fn headline(&self) -> String {
        let Some(dense) = self.accuracy(DENSE) else {
            return "No dense table to compare with".to_owned();
        };
        let smallest = self.others().filter_map(|name| {
            Some((name, self.one("compression", name)?, self.accuracy(name)?.value))
        });
        match smallest.max_by(|a, b| a.2.total_cmp(&b.2)) {
            Some((name, compression, accuracy)) => format!(
                "The best of the small tables, {name} ({} times smaller), reads reviews with an \
                 accuracy of {}, the dense one with {}",
                short(compression),
                short(accuracy),
                short(dense.value)
            ),
            None => {
                format!("The dense table reads reviews with an accuracy of {}", short(dense.value))
            }
        }
    }

    fn answer(&self) -> Vec<String> {
        let lines = self.others().filter_map(|name| {
            let gain = self.gain(name)?;
            let mut text = format!(
                "{name}: {} points against the dense table with {} times fewer parameters",
                change(gain.value, gain.ci95),
                short(self.one("compression", name)?)
            );
            if let (Some(whole), Some(eight)) =
                (self.accuracy(name), self.one("accuracy_int8", name))
            {
                let lost = 100.0 * (eight - whole.value);
                text.push_str(&format!(
                    "; with cores in 8 bits {} points more",
                    change(lost, None)
                ));
            }
            text.push('.');
            Some(text)
        });
        lines.collect()
    }

    fn confidence(&self, config: &SentimentConfig) -> Vec<String> {
        let seeds = self.results.seeds.len();
        let mut lines = vec![match seeds {
            0 | 1 => "One seed: the interval of an accuracy is over the reviews that report, and \
                      differences have none."
                .to_owned(),
            _ => format!(
                "{seeds} seeds draw the split, the first values, the order and what is dropped; \
                 intervals are over them (Student's t), differences are taken seed by seed."
            ),
        }];
        lines.push(format!(
            "All tables have the same model around them (bidirectional LSTM of {} each way, the \
             maximum over the last {} words), {} epochs, learning rate {}, and first entries of \
             deviation {}; what fills a batch up is masked for all. Nothing was chosen by the \
             reviews that report.",
            config.d_hidden,
            config.max_tokens,
            config.recipe.epochs,
            config.recipe.peak_lr,
            config.recipe.std
        ));
        if let Some(majority) = self.curves.one("majority", &[]) {
            lines.push(format!("Always the same answer is right in {} of cases.", short(majority)));
        }
        lines
    }

    fn figures(&self) -> Vec<Figure> {
        let series = self.names.iter().enumerate().filter_map(|(index, name)| {
            let accuracy = self.accuracy(name)?;
            let x = self.one("compression", name)?;
            let at = At { x, value: accuracy.value, ci95: accuracy.ci95 };
            line(name, index, index, &[at])
        });
        vec![Figure {
            name: "accuracy".to_owned(),
            title: "Accuracy against compression".to_owned(),
            caption: "Accuracy on reviews that were held out, against how many times fewer \
                      parameters than a dense table the table has. Bars: 95 % intervals."
                .to_owned(),
            part: String::new(),
            chart: Chart::Lines {
                x: "compression".to_owned(),
                y: "accuracy".to_owned(),
                axis: Axis::Log,
                series: series.collect(),
            },
        }]
    }

    fn table(&self) -> Table {
        let heads = [
            "embedding",
            "parameters",
            "compression",
            "accuracy",
            "± (95 %)",
            "points against dense",
            "in 8 bits",
            "on what was learned",
            "ms a step",
        ];
        let mut table = Table::new("accuracy", "Tables and what is read through them", heads);
        for name in &self.names {
            let Some(accuracy) = self.accuracy(name) else { continue };
            let half = accuracy.ci95.map(|[low, high]| (high - low) / 2.0);
            let gain = self.gain(name).filter(|_| name != DENSE).map(|gain| gain.value);
            table.push([
                Cell::from(name.as_str()),
                Cell::from(self.one("parameters", name)),
                Cell::from(self.one("compression", name)),
                Cell::from(accuracy.value),
                Cell::from(half),
                Cell::from(gain),
                Cell::from(self.one("accuracy_int8", name)),
                Cell::from(self.one("train_accuracy", name)),
                Cell::from(self.one("step_ms", name)),
            ]);
        }
        table
    }
}
