//! Figures, a table and words on error against size, from the records alone.

use super::CompressConfig;
use crate::experiments::curves::{At, Curves, line};
use crate::figure::{Axis, Chart, Figure, Series};
use crate::format::short;
use crate::present::Presentation;
use crate::record::Results;
use crate::table::{Cell, Table};

/// All there is to say.
pub(super) fn present(config: &CompressConfig, results: &Results) -> Presentation {
    let view = View::new(results);
    Presentation {
        headline: view.headline(),
        answer: view.answer(),
        confidence: view.confidence(config),
        figures: view.figures(),
        tables: vec![view.table()],
    }
}

/// One compressed table.
struct Row {
    embedding: String,
    order: String,
    rank: f64,
    parameters: f64,
    compression: f64,
    error: f64,
    similarity: Option<(f64, Option<[f64; 2]>)>,
}

struct View {
    rows: Vec<Row>,
    dense: Option<(f64, Option<[f64; 2]>)>,
}

impl View {
    fn new(results: &Results) -> Self {
        let curves = Curves::new(results);
        let rows = results.summary().filter(|metric| metric.name == "relative_error");
        let row = |metric: &crate::record::Metric| {
            let [embedding, order, rank] =
                ["embedding", "order", "rank"].map(|label| metric.place.text(label));
            let labels = [("embedding", embedding.as_str()), ("order", &order), ("rank", &rank)];
            let labels =
                if order.is_empty() { vec![labels[0], labels[2]] } else { labels.to_vec() };
            let one = |name| curves.one(name, &labels);
            let similarity = results
                .summary()
                .find(|other| other.name == "similarity" && other.place == metric.place);
            Some(Row {
                rank: metric.place.number("rank")?,
                parameters: one("parameters")?,
                compression: one("compression")?,
                error: metric.value,
                similarity: similarity.map(|found| (found.value, found.ci95)),
                embedding,
                order,
            })
        };
        let dense = results.summary().find(|metric| {
            metric.name == "similarity" && metric.place.text("embedding") == "dense"
        });
        Self {
            rows: rows.filter_map(row).collect(),
            dense: dense.map(|found| (found.value, found.ci95)),
        }
    }

    /// What a line of a chart is called.
    fn name(row: &Row) -> String {
        match row.order.as_str() {
            "" => "low rank".to_owned(),
            order => format!("tensor train, {order}"),
        }
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for row in &self.rows {
            let name = Self::name(row);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// What comes nearest to a tenth of the table.
    fn headline(&self) -> String {
        let distance = |row: &&Row| (row.compression / 10.0).ln().abs();
        let nearest = |trains: bool| {
            let rows = self.rows.iter().filter(|row| row.order.is_empty() != trains);
            let rank = rows.clone().min_by(|a, b| distance(a).total_cmp(&distance(b)))?.rank;
            let of_rank = rows.filter(|row| (row.rank - rank).abs() < 0.5);
            of_rank.min_by(|a, b| a.error.total_cmp(&b.error))
        };
        let Some(train) = nearest(true) else { return "Nothing was measured".to_owned() };
        let mut text = format!(
            "{} times smaller, the best tensor train ({} order) is off by {} of the table's norm",
            short(train.compression),
            train.order,
            short(train.error)
        );
        if let Some(low) = nearest(false) {
            text.push_str(&format!(", low rank by {}", short(low.error)));
        }
        if let (Some((score, _)), Some((dense, _))) = (train.similarity, self.dense) {
            text.push_str(&format!(
                "; sentences correlate by {} instead of {}",
                short(score),
                short(dense)
            ));
        }
        text
    }

    fn answer(&self) -> Vec<String> {
        let mut lines = Vec::new();
        // Of each size, trains of all orders and the low rank beside them.
        let better = self.rows.iter().filter(|row| !row.order.is_empty()).filter_map(|train| {
            let low = self.rows.iter().filter(|row| row.order.is_empty());
            let low = low.min_by(|a, b| {
                let distance = |row: &Row| (row.parameters / train.parameters).ln().abs();
                distance(a).total_cmp(&distance(b))
            })?;
            Some((train, low))
        });
        let all: Vec<_> = better.collect();
        let trains = all.iter().filter(|(train, low)| train.error < low.error).count();
        if !all.is_empty() {
            lines.push(format!(
                "At about equal size the train is nearer to the table than the best low rank in {trains} of \
                 {} comparisons.",
                all.len()
            ));
        }
        for order in ["frequency", "cluster"] {
            let gains: Vec<f64> = self
                .rows
                .iter()
                .filter(|row| row.order == order)
                .filter_map(|row| {
                    let plain = self.rows.iter().find(|other| {
                        other.order == "identity" && (other.rank - row.rank).abs() < 0.5
                    })?;
                    Some(plain.error - row.error)
                })
                .collect();
            if !gains.is_empty() {
                let helped = gains.iter().filter(|gain| **gain > 0.0).count();
                let most = gains.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                lines.push(format!(
                    "The {order} order lowers the error in {helped} of {} cases, by {} at most.",
                    gains.len(),
                    short(most)
                ));
            }
        }
        if let Some((dense, _)) = self.dense {
            let best = self.rows.iter().filter_map(|row| {
                let (value, ci95) = row.similarity?;
                Some((value, ci95, row))
            });
            if let Some((value, ci95, row)) = best.max_by(|a, b| a.0.total_cmp(&b.0)) {
                let interval = ci95.map_or(String::new(), |[low, high]| {
                    format!(" [{}, {}]", short(low), short(high))
                });
                lines.push(format!(
                    "Without training, sentences correlate with people's scores by {} with the table itself, \
                     and by {}{interval} at best with a smaller one ({}, {}×).",
                    short(dense),
                    short(value),
                    Self::name(row),
                    short(row.compression)
                ));
            }
        }
        lines
    }

    fn confidence(&self, config: &CompressConfig) -> Vec<String> {
        let mut lines = vec![format!(
            "One table, trained once; errors are exact for it. Trains of {} cores with factors as equal as \
             can be.",
            config.cores
        )];
        if self.dense.is_some() {
            lines.push(
                "Intervals of the similarity are over pairs (bootstrap), for this model and list."
                    .to_owned(),
            );
        }
        lines
    }

    fn figures(&self) -> Vec<Figure> {
        let mut figures = vec![self.chart(
            "error",
            "Error against compression",
            "relative error",
            "‖W − W'‖/‖W‖ over the rows of the vocabulary. Low rank is the best that has at most as many \
             parameters as a train.",
            |row| Some((row.error, None)),
        )];
        if self.dense.is_some() {
            figures.push(self.chart(
                "similarity",
                "Similarity of sentences against compression",
                "Spearman's correlation",
                "STS-B (dev), with the compressed table and no training. Bars: 95 % intervals over pairs.",
                |row| row.similarity,
            ));
        }
        figures
    }

    fn chart(
        &self,
        name: &str,
        title: &str,
        y: &str,
        caption: &str,
        value: impl Fn(&Row) -> Option<(f64, Option<[f64; 2]>)>,
    ) -> Figure {
        let names = self.names();
        let series: Vec<Series> = names
            .iter()
            .enumerate()
            .filter_map(|(index, name)| {
                let of_line = self.rows.iter().filter(|row| Self::name(row) == *name);
                let mut points: Vec<At> = of_line
                    .filter_map(|row| {
                        let (value, ci95) = value(row)?;
                        Some(At { x: row.compression, value, ci95 })
                    })
                    .collect();
                points.sort_by(|a, b| a.x.total_cmp(&b.x));
                line(name, index, index, &points)
            })
            .collect();
        Figure {
            name: name.to_owned(),
            title: title.to_owned(),
            caption: caption.to_owned(),
            part: String::new(),
            chart: Chart::Lines {
                x: "compression".to_owned(),
                y: y.to_owned(),
                axis: Axis::Log,
                series,
            },
        }
    }

    fn table(&self) -> Table {
        let mut heads =
            vec!["embedding", "order", "rank", "parameters", "compression", "relative error"];
        if self.dense.is_some() {
            heads.push("similarity");
        }
        let mut table = Table::new("compressed", "Compressed tables", heads);
        for row in &self.rows {
            let mut cells = vec![
                Cell::from(row.embedding.as_str()),
                Cell::from(row.order.as_str()),
                Cell::from(row.rank),
                Cell::from(row.parameters),
                Cell::from(row.compression),
                Cell::from(row.error),
            ];
            if self.dense.is_some() {
                cells.push(Cell::from(row.similarity.map(|(value, _)| value)));
            }
            table.push(cells);
        }
        table
    }
}
