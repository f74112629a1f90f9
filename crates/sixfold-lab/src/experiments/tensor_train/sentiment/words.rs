//! Figures, a table and words on accuracy against size, from the records alone.

use super::super::tables::Comparison;
use super::SentimentConfig;
use crate::experiments::finding::change;
use crate::experiments::seeds::Mean;
use crate::format::short;
use crate::present::Presentation;
use crate::record::Results;
use crate::table::{Cell, Table};

/// All there is to say.
pub(super) fn present(config: &SentimentConfig, results: &Results) -> Presentation {
    let view = View(Comparison::new(results, "accuracy"));
    Presentation {
        headline: view.headline(),
        answer: view.answer(),
        confidence: view.confidence(config),
        figures: vec![view.0.figure(
            "accuracy",
            "Accuracy against compression",
            "Accuracy on reviews that were held out, against how many times fewer parameters than \
             a dense table the table has. Bars: 95 % intervals.",
        )],
        tables: vec![view.table()],
    }
}

struct View<'a>(Comparison<'a>);

impl View<'_> {
    /// How much more accurate it is than over the dense table, in points, seed by seed.
    fn gain(&self, name: &str) -> Option<Mean> {
        let gain = self.0.gain("accuracy", name)?;
        let points = |value: f64| 100.0 * value;
        Some(Mean { value: points(gain.value), ci95: gain.ci95.map(|ends| ends.map(points)) })
    }

    fn headline(&self) -> String {
        let accuracy = |name| self.0.one("accuracy", name);
        let Some(dense) = self.0.dense().and_then(accuracy) else {
            return "There is no dense table to compare with".to_owned();
        };
        let small = self.0.small().filter_map(|name| Some((name, accuracy(name)?)));
        match small.max_by(|a, b| a.1.total_cmp(&b.1)) {
            Some((name, best)) => format!(
                "The best of the small tables, {name} ({} times smaller), reads reviews with an \
                 accuracy of {}, the dense one with {}",
                short(self.0.one("compression", name).unwrap_or(f64::NAN)),
                short(best),
                short(dense)
            ),
            None => format!("The dense table reads reviews with an accuracy of {}", short(dense)),
        }
    }

    fn answer(&self) -> Vec<String> {
        let lines = self.0.small().filter_map(|name| {
            let gain = self.gain(name)?;
            let mut text = format!(
                "{name}: {} points against the dense table with {} times fewer parameters",
                change(gain.value, gain.ci95),
                short(self.0.one("compression", name)?)
            );
            if let (Some(whole), Some(eight)) =
                (self.0.one("accuracy", name), self.0.one("accuracy_int8", name))
            {
                let lost = 100.0 * (eight - whole);
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
        let seeds = self.0.seeds();
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
        if let Some(majority) = self.0.common("majority") {
            lines.push(format!("Always the same answer is right in {} of cases.", short(majority)));
        }
        lines
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
        for name in &self.0.names {
            let Some(accuracy) = self.0.record("accuracy", name) else { continue };
            let half = accuracy.ci95.map(|[low, high]| (high - low) / 2.0);
            let gain =
                self.gain(name).filter(|_| self.0.dense() != Some(name)).map(|gain| gain.value);
            table.push([
                Cell::from(name.as_str()),
                Cell::from(self.0.one("parameters", name)),
                Cell::from(self.0.one("compression", name)),
                Cell::from(accuracy.value),
                Cell::from(half),
                Cell::from(gain),
                Cell::from(self.0.one("accuracy_int8", name)),
                Cell::from(self.0.one("train_accuracy", name)),
                Cell::from(self.0.one("step_ms", name)),
            ]);
        }
        table
    }
}
