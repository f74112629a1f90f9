//! A figure, a table and words on click prediction, from the records alone.

use super::super::tables::Comparison;
use super::CtrConfig;
use crate::experiments::finding::change;
use crate::format::short;
use crate::present::Presentation;
use crate::record::Results;
use crate::table::{Cell, Table};

/// All there is to say.
pub(super) fn present(config: &CtrConfig, results: &Results) -> Presentation {
    let view = View(Comparison::new(results, "logloss"));
    Presentation {
        headline: view.headline(),
        answer: view.answer(),
        confidence: view.confidence(config),
        figures: vec![view.0.figure(
            "logloss",
            "Log loss against compression",
            "Log loss on rows that were not learned from, against how many times fewer parameters \
             than a dense table the table has. Bars: 95 % intervals.",
        )],
        tables: vec![view.table()],
    }
}

struct View<'a>(Comparison<'a>);

impl View<'_> {
    fn headline(&self) -> String {
        let logloss = |name| self.0.one("logloss", name);
        let Some(dense) = self.0.dense().and_then(logloss) else {
            return "There is no dense table to compare with".to_owned();
        };
        let small = self.0.small().filter_map(|name| Some((name, logloss(name)?)));
        match small.min_by(|a, b| a.1.total_cmp(&b.1)) {
            Some((name, best)) => format!(
                "The best of the small tables, {name} ({} times smaller), predicts clicks with a \
                 log loss of {}, the dense one with {}",
                short(self.0.one("compression", name).unwrap_or(f64::NAN)),
                short(best),
                short(dense)
            ),
            None => format!("The dense table predicts clicks with a log loss of {}", short(dense)),
        }
    }

    fn answer(&self) -> Vec<String> {
        let lines = self.0.small().filter_map(|name| {
            let [loss, auc] = ["logloss", "auc"].map(|metric| self.0.gain(metric, name));
            let (loss, auc) = (loss?, auc?);
            Some(format!(
                "{name}, {} times smaller: {} of log loss and {} of AUC against the dense table.",
                short(self.0.one("compression", name)?),
                change(loss.value, loss.ci95),
                change(auc.value, auc.ci95)
            ))
        });
        lines.collect()
    }

    fn confidence(&self, config: &CtrConfig) -> Vec<String> {
        let mut lines = vec![match self.0.seeds() {
            0 | 1 => {
                "One seed: intervals are over the rows that report (bootstrap), and differences \
                      have none."
                    .to_owned()
            }
            seeds => format!(
                "{seeds} seeds draw the first values, the order and what is dropped; intervals are \
                 over them and leave out what other rows would change."
            ),
        }];
        if let Some(constant) = self.0.common("logloss_constant") {
            lines.push(format!(
                "Who always guesses the share of clicks has a log loss of {}.",
                short(constant)
            ));
        }
        lines.push(format!(
            "{} passes over few rows: this shows that the parts work together, and no difference \
             between tables should be taken from it.",
            config.recipe.epochs
        ));
        lines
    }

    fn table(&self) -> Table {
        let heads =
            ["embedding", "parameters", "compression", "log loss", "± (95 %)", "AUC", "± (95 %)"];
        let mut table = Table::new("clicks", "Tables and what is predicted with them", heads);
        for name in &self.0.names {
            let mut cells = vec![
                Cell::from(name.as_str()),
                Cell::from(self.0.one("parameters", name)),
                Cell::from(self.0.one("compression", name)),
            ];
            for metric in ["logloss", "auc"] {
                let found = self.0.record(metric, name);
                let half = found.and_then(|found| found.ci95).map(|[low, high]| (high - low) / 2.0);
                cells.extend([Cell::from(found.map(|found| found.value)), Cell::from(half)]);
            }
            table.push(cells);
        }
        table
    }
}
