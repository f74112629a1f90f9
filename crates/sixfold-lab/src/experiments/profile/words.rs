//! Tables, figures and words of a profile, from its records alone.

use crate::figure::{Axis, Chart, Figure, Point, Series};
use crate::format::short;
use crate::present::Presentation;
use crate::record::{Metric, Results};
use crate::table::{Cell, Table};

/// How a metric is shown.
#[derive(Clone, Copy, Debug)]
pub struct MetricInfo {
    /// The name in `results.json`.
    pub name: &'static str,
    /// The title of its figure.
    pub title: &'static str,
    /// What it is.
    pub caption: &'static str,
}

/// The records of a profile by model, filter and layer.
pub struct Profiled<'a> {
    results: &'a Results,
    infos: Vec<&'a MetricInfo>,
    models: Vec<String>,
    filters: Vec<String>,
}

impl<'a> Profiled<'a> {
    /// Sorts the records; metrics without one are left out.
    pub fn new(results: &'a Results, infos: &'a [MetricInfo]) -> Self {
        let distinct = |label: &str| {
            let mut values: Vec<String> = Vec::new();
            for metric in results.summary() {
                let value = metric.place.text(label);
                if !values.contains(&value) {
                    values.push(value);
                }
            }
            values
        };
        let infos = infos.iter().filter(|info| results.named(info.name).next().is_some());
        Self {
            results,
            infos: infos.collect(),
            models: distinct("model"),
            filters: distinct("filter"),
        }
    }

    fn records(&self, name: &str, model: &str, filter: &str) -> Vec<(usize, &'a Metric)> {
        let mut records: Vec<(usize, &Metric)> = self
            .results
            .summary()
            .filter(|m| {
                m.name == name
                    && m.place.text("model") == model
                    && m.place.text("filter") == filter
                    && m.place.text("control") != "untrained"
            })
            .filter_map(|m| Some((m.place.number("layer")? as usize, m)))
            .collect();
        records.sort_by_key(|(layer, _)| *layer);
        records
    }

    /// Model, lowest and highest value over the layers, under the first filter.
    pub fn ranges(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, [f64; 2])> {
        self.models.iter().filter_map(move |model| {
            let records = self.records(name, model, self.filters.first()?);
            let values = records.iter().map(|(_, metric)| metric.value).filter(|v| v.is_finite());
            let ends = values.fold(None, |ends: Option<[f64; 2]>, value| {
                let [low, high] = ends.unwrap_or([value; 2]);
                Some([low.min(value), high.max(value)])
            });
            Some((model.as_str(), ends?))
        })
    }

    /// Model, layer and value that stands before all others, under the first filter.
    pub fn extremes(
        &'a self,
        name: &'a str,
        before: fn(&f64, &f64) -> bool,
    ) -> impl Iterator<Item = (&'a str, usize, f64)> {
        self.models.iter().filter_map(move |model| {
            let records = self.records(name, model, self.filters.first()?);
            let values = records.iter().map(|(layer, metric)| (*layer, metric.value));
            let best = values
                .filter(|(_, value)| value.is_finite())
                .reduce(|best, next| if before(&next.1, &best.1) { next } else { best });
            best.map(|(layer, value)| (model.as_str(), layer, value))
        })
    }

    /// Figures, tables and what can be said of any profile; `layer` is the word for a layer.
    pub fn presentation(&self, layer: &str) -> Presentation {
        Presentation {
            headline: "Nothing was measured".to_owned(),
            answer: Vec::new(),
            confidence: self.confidence(),
            figures: self.infos.iter().map(|info| self.figure(info, layer)).collect(),
            tables: vec![self.summary(layer), self.layers(layer)],
        }
    }

    fn confidence(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for info in self.infos.iter().take(2) {
            let mut halves: Vec<f64> = self
                .results
                .named(info.name)
                .filter_map(|metric| metric.ci95.map(|[low, high]| (high - low) / 2.0))
                .collect();
            halves.sort_by(f64::total_cmp);
            if let Some(median) = halves.get(halves.len() / 2) {
                let title = info.title;
                lines.push(format!(
                    "{title}: ± {} (median half of a 95\u{a0}% interval).",
                    short(*median)
                ));
            }
        }
        lines.push(match lines.is_empty() {
            true => "The numbers come without intervals.".to_owned(),
            false => "Intervals are over documents of the text; no seed enters.".to_owned(),
        });
        if self.filters.len() > 1 {
            let others = self.filters[1..].join(", ");
            lines.push(format!(
                "Sentences are about the filter {}; controls: {others}.",
                self.filters[0]
            ));
        }
        lines
    }

    fn figure(&self, info: &MetricInfo, layer: &str) -> Figure {
        let one_model = self.models.len() == 1;
        let depth = |model: &str| {
            let records = self.filters.iter().flat_map(|f| self.records(info.name, model, f));
            records.map(|(layer, _)| layer).max().unwrap_or(0)
        };
        // Models of different depth are compared by the share of their depth.
        let relative = self.models.iter().any(|model| depth(model) != depth(&self.models[0]));
        let mut series = Vec::new();
        for (number_of_model, model) in self.models.iter().enumerate() {
            for (number_of_filter, filter) in self.filters.iter().enumerate() {
                let scale = if relative { depth(model).max(1) as f64 } else { 1.0 };
                let points: Vec<Point> = self
                    .records(info.name, model, filter)
                    .into_iter()
                    .map(|(layer, m)| Point { x: layer as f64 / scale, y: m.value, band: m.ci95 })
                    .collect();
                if points.is_empty() {
                    continue;
                }
                series.push(Series {
                    label: match (one_model, self.filters.len()) {
                        (true, _) => filter.clone(),
                        (false, 1) => model.clone(),
                        (false, _) => format!("{model}, {filter}"),
                    },
                    colour: if one_model { number_of_filter } else { number_of_model },
                    dash: number_of_filter,
                    points,
                });
            }
        }
        let bands = series.iter().flat_map(|line| &line.points).any(|point| point.band.is_some());
        let bands = if bands { " Bands: 95\u{a0}% over documents." } else { "" };
        let whose = if one_model { format!(", {}", self.models[0]) } else { String::new() };
        Figure {
            name: info.name.to_owned(),
            title: format!("{}{whose}", info.title),
            caption: format!("{}{bands}", info.caption),
            part: String::new(),
            chart: Chart::Lines {
                x: if relative { "relative depth".to_owned() } else { layer.to_owned() },
                y: info.name.replace('_', " "),
                axis: if relative { Axis::Linear } else { Axis::Whole },
                series,
            },
        }
    }

    /// One row per model and filter: means over the layers.
    fn summary(&self, layer: &str) -> Table {
        let heads = ["model".to_owned(), "filter".to_owned(), format!("{layer}s")];
        let heads = heads.into_iter().chain(self.infos.iter().map(|info| info.name.to_owned()));
        let mut table = Table::new("summary", format!("Means over the {layer}s"), heads);
        for model in &self.models {
            for filter in &self.filters {
                let mut layers = 0;
                let means: Vec<Cell> = self
                    .infos
                    .iter()
                    .map(|info| {
                        let records = self.records(info.name, model, filter);
                        layers = layers.max(records.len());
                        let sum: f64 = records.iter().map(|(_, metric)| metric.value).sum();
                        Cell::from((!records.is_empty()).then(|| sum / records.len() as f64))
                    })
                    .collect();
                if layers > 0 {
                    let head = [Cell::from(model.as_str()), Cell::from(filter.as_str())];
                    table.push(head.into_iter().chain([Cell::from(layers)]).chain(means));
                }
            }
        }
        table
    }

    /// One row per model, filter and layer.
    fn layers(&self, layer: &str) -> Table {
        let heads = ["model", "filter", layer].into_iter().map(str::to_owned);
        let heads = heads.chain(self.infos.iter().map(|info| info.name.to_owned()));
        let mut table = Table::new("layers", format!("Every {layer}"), heads);
        for model in &self.models {
            for filter in &self.filters {
                let columns: Vec<Vec<(usize, &Metric)>> =
                    self.infos.iter().map(|info| self.records(info.name, model, filter)).collect();
                let deepest = columns.iter().flatten().map(|(layer, _)| *layer).max();
                for layer in deepest.map_or(0..0, |deepest| 0..deepest + 1) {
                    let values = columns.iter().map(|records| {
                        let found = records.iter().find(|(known, _)| *known == layer);
                        Cell::from(found.map(|(_, metric)| metric.value))
                    });
                    let head = [Cell::from(model.as_str()), Cell::from(filter.as_str())];
                    let values: Vec<Cell> = values.collect();
                    table.push(head.into_iter().chain([Cell::from(layer)]).chain(values));
                }
            }
        }
        table
    }
}
