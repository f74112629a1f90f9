//! Models that differ in their tables alone: their records, and figures, a table and words from them.

use anyhow::Result;

use super::losses::Losses;
use crate::experiments::curves::{At, line};
use crate::experiments::finding::change;
use crate::figure::{Axis, Chart, Figure, Series};
use crate::format::short;
use crate::record::{Better, Metric, Results};
use crate::table::{Cell, Table};

/// Perplexity of a model, and the change of its loss from that of the first.
pub(super) fn loss_metrics(losses: &Losses, first: Option<&Losses>) -> Result<Vec<Metric>> {
    let found = losses.perplexity()?;
    let perplexity = Metric::new("perplexity", found.value).ci95(found.ci95);
    let mut metrics = vec![perplexity.better(Better::Lower)];
    if let Some(first) = first {
        let found = losses.change_from(first)?;
        let change = Metric::new("loss_change", found.value).ci95(found.ci95);
        metrics.push(change.unit("nats").better(Better::Lower));
    }
    Ok(metrics)
}

/// Sizes of a model, and the time that a step takes.
pub(super) fn size_metrics(
    parameters: usize,
    model_parameters: usize,
    compression: f64,
    step_ms: Option<f64>,
) -> Vec<Metric> {
    let mut metrics = vec![
        Metric::new("parameters", parameters as f64).better(Better::Lower),
        Metric::new("model_parameters", model_parameters as f64).better(Better::Lower),
        Metric::new("compression", compression).better(Better::Higher),
    ];
    let step = step_ms.map(|ms| Metric::new("step_ms", ms).unit("ms (wall)").better(Better::Lower));
    metrics.extend(step);
    metrics
}

/// What the models are judged by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quality {
    /// Name of the metric.
    pub(super) metric: &'static str,
    /// Name of the metric of its change from the first table.
    pub(super) change: &'static str,
    /// What a sentence calls it: `BLEU`.
    pub(super) called: &'static str,
    /// What a sentence calls what changes: `BLEU`, `the loss of a word`.
    pub(super) changing: &'static str,
    /// Unit of the change, with a space before it where there is one.
    pub(super) unit: &'static str,
    /// Which direction is better.
    pub(super) better: Better,
    /// What an interval of one training is over: `sentences`.
    pub(super) over: &'static str,
}

/// One table's records.
#[derive(Clone, Debug)]
pub(super) struct Row {
    embedding: String,
    compression: f64,
    values: Vec<Metric>,
}

impl Row {
    fn get(&self, name: &str) -> Option<&Metric> {
        self.values.iter().find(|metric| metric.name == name && metric.value.is_finite())
    }

    fn value(&self, name: &str) -> Option<f64> {
        self.get(name).map(|metric| metric.value)
    }

    fn is_tied(&self) -> bool {
        self.embedding.ends_with("-tied")
    }

    /// The form, as a line of a chart is called.
    fn form(&self) -> String {
        let form = self.embedding.trim_end_matches("-tied");
        let form = form.trim_end_matches(|sign: char| sign.is_ascii_digit() || sign == '-');
        format!("{form}, {}", if self.is_tied() { "one table" } else { "two tables" })
    }
}

/// The tables of a run.
pub(super) struct Comparison {
    quality: Quality,
    rows: Vec<Row>,
    seeds: usize,
}

impl Comparison {
    pub(super) fn new(results: &Results, quality: Quality) -> Self {
        let compressions = results.named("compression");
        let rows = compressions.map(|metric| {
            let embedding = metric.place.text("embedding");
            let own = results.summary().filter(|other| other.place == metric.place);
            Row { compression: metric.value, values: own.cloned().collect(), embedding }
        });
        Self { quality, rows: rows.collect(), seeds: results.seeds.len() }
    }

    fn others(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().skip(1)
    }

    /// The best table that is at least twice smaller than the first, beside that one.
    pub(super) fn headline(&self) -> String {
        let Quality { metric, called, better, .. } = self.quality;
        let Some(first) = self.rows.first() else { return "Nothing was measured".to_owned() };
        let smaller = self.others().filter(|row| row.compression > 2.0 * first.compression);
        let scored = smaller.filter_map(|row| Some((row, row.value(metric)?)));
        let best = scored.max_by(|(_, a), (_, b)| match better {
            Better::Lower => b.total_cmp(a),
            _ => a.total_cmp(b),
        });
        match best.zip(first.value(metric)) {
            Some(((row, value), of_first)) => format!(
                "`{}`, {} times smaller than `{}`: {called} {} instead of {}",
                row.embedding,
                short(row.compression / first.compression),
                first.embedding,
                short(value),
                short(of_first)
            ),
            None => format!(
                "`{}`: {called} {}; no table is twice smaller",
                first.embedding,
                first.value(metric).map_or("–".to_owned(), short)
            ),
        }
    }

    /// One sentence a table.
    pub(super) fn answer(&self) -> Vec<String> {
        let Quality { metric, change: changed, called, changing, unit, .. } = self.quality;
        let Some(first) = self.rows.first() else { return Vec::new() };
        let sentences = self.others().filter_map(|row| {
            let found = row.get(changed)?;
            let clear = match found.ci95 {
                Some([low, high]) if low <= 0.0 && high >= 0.0 => ", which may be chance",
                _ => "",
            };
            Some(format!(
                "`{}` ({} times fewer parameters than one dense table): {called} {}; {changing} changes by {}{unit} \
                 against `{}`{clear}.",
                row.embedding,
                short(row.compression),
                short(row.value(metric)?),
                change(found.value, found.ci95),
                first.embedding
            ))
        });
        sentences.collect()
    }

    /// What the numbers can and cannot say. `rates` says how learning rates differ, where they do.
    pub(super) fn confidence(&self, rates: Option<String>) -> Vec<String> {
        let over = self.quality.over;
        let intervals = match self.seeds {
            0 | 1 => format!(
                "One training a table: 95 % intervals are over {over} (bootstrap, those of changes paired) and \
                 do not cover how trainings differ."
            ),
            n => format!("{n} trainings a table: 95 % intervals are over trainings (Student's t)."),
        };
        vec![
            intervals,
            rates.unwrap_or_else(|| {
                "All tables get the same batches, steps and learning rate; none was tuned for itself."
                    .to_owned()
            }),
        ]
    }

    /// The quality against the compression.
    pub(super) fn figure(&self) -> Figure {
        let Quality { metric, called, over, .. } = self.quality;
        let mut forms: Vec<String> = Vec::new();
        for row in &self.rows {
            if !forms.contains(&row.form()) {
                forms.push(row.form());
            }
        }
        let series: Vec<Series> = forms
            .iter()
            .enumerate()
            .filter_map(|(index, form)| {
                let of_form = self.rows.iter().filter(|row| row.form() == *form);
                let mut points: Vec<At> = of_form
                    .filter_map(|row| {
                        let found = row.get(metric)?;
                        Some(At { x: row.compression, value: found.value, ci95: found.ci95 })
                    })
                    .collect();
                points.sort_by(|a, b| a.x.total_cmp(&b.x));
                line(form, index, index, &points)
            })
            .collect();
        let bars = match self.seeds {
            0 | 1 => format!("{over} (bootstrap)"),
            _ => "trainings".to_owned(),
        };
        Figure {
            name: metric.to_owned(),
            title: format!("Compression and {called}"),
            caption: format!(
                "Compression: parameters of one dense table over those of all tables of a model. 95 % \
                 intervals over {bars}."
            ),
            part: String::new(),
            chart: Chart::Lines {
                x: "compression".to_owned(),
                y: called.to_owned(),
                axis: Axis::Log,
                series,
            },
        }
    }

    /// All records side by side; `metrics` are those of the experiment, by name and head.
    pub(super) fn table(&self, metrics: &[(&str, &str)]) -> Table {
        let sizes = [
            ("parameters", "parameters of tables"),
            ("model_parameters", "of the model"),
            ("step_ms", "ms a step (wall)"),
        ];
        let columns: Vec<(&str, &str)> = metrics.iter().copied().chain(sizes).collect();
        let heads = ["embedding", "compression"].into_iter();
        let heads = heads.chain(columns.iter().map(|(_, head)| *head));
        let mut table = Table::new("tables", "The tables that were compared", heads);
        for row in &self.rows {
            let head = [Cell::from(row.embedding.as_str()), Cell::from(row.compression)];
            let values = columns.iter().map(|(name, _)| Cell::from(row.value(name)));
            table.push(head.into_iter().chain(values));
        }
        table
    }
}
