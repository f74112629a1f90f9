//! Figures, tables and words of a training, from its records alone.

use super::super::super::curves::{At, Curves, line};
use super::super::claims::{self, Finding};
use super::TrainingConfig;
use crate::figure::{Axis, Chart, Figure, Point, Series};
use crate::format::short;
use crate::present::Presentation;
use crate::record::Results;
use crate::table::{Cell, Table};

/// Measures over the steps: name and title.
const MEASURES: [(&str, &str); 4] = [
    ("intrinsic_dimension", "Intrinsic dimension"),
    ("anisotropy", "Anisotropy"),
    ("effective_rank", "Effective rank"),
    ("mean_cosine", "Mean cosine"),
];

/// All there is to say.
pub(super) fn present(config: &TrainingConfig, results: &Results) -> Presentation {
    let curves = Curves::new(results);
    let view = View {
        curves,
        filters: curves.distinct("anisotropy", "filter"),
        layers: curves.distinct("anisotropy", "layer"),
        estimator: curves.distinct("intrinsic_dimension", "estimator").into_iter().next(),
    };
    let findings = view.findings();
    let mut answer = view.losses();
    answer.extend(findings.first().map(|finding| finding.why.clone()));
    Presentation {
        headline: view.headline(&findings),
        answer,
        confidence: view.confidence(config),
        figures: view.figures(),
        tables: [claims::table(&findings), view.summary(), view.layers_table()]
            .into_iter()
            .filter(|table| !table.rows.is_empty())
            .collect(),
    }
}

struct View<'a> {
    curves: Curves<'a>,
    filters: Vec<String>,
    layers: Vec<String>,
    /// The first estimator of the dimension.
    estimator: Option<String>,
}

impl View<'_> {
    fn filter(&self) -> &str {
        self.filters.first().map_or("", String::as_str)
    }

    /// A measure of a site over the steps; of the untrained control, over the sites.
    fn over(&self, name: &str, x: &str, filter: &str, more: &[(&str, &str)]) -> Vec<At> {
        let mut place = vec![("filter", filter)];
        place.extend_from_slice(more);
        if let ("intrinsic_dimension", Some(estimator)) = (name, &self.estimator) {
            place.extend([("estimator", estimator.as_str()), ("scale", "")]);
        }
        self.curves.over(name, x, &place)
    }

    fn of_site(&self, name: &str, layer: &str, filter: &str) -> Vec<At> {
        self.over(name, "step", filter, &[("layer", layer), ("control", "none")])
    }

    /// The mean over the blocks' outputs at every step. Sites of one model depend on each other,
    /// so that the half widths are averaged and not their squares.
    fn mean(&self, name: &str, filter: &str) -> Vec<At> {
        let curves: Vec<Vec<At>> = self
            .layers
            .iter()
            .filter(|layer| *layer != "0")
            .map(|layer| self.of_site(name, layer, filter))
            .collect();
        let Some(first) = curves.first() else { return Vec::new() };
        let mean_at = |x: f64| -> Option<At> {
            let same = |curve: &Vec<At>| curve.iter().find(|at| (at.x - x).abs() < 0.5).copied();
            let all: Vec<At> = curves.iter().map(same).collect::<Option<_>>()?;
            let n = all.len() as f64;
            let value = all.iter().map(|at| at.value).sum::<f64>() / n;
            let halves: Option<Vec<f64>> =
                all.iter().map(|at| at.ci95.map(|[low, high]| (high - low) / 2.0)).collect();
            let ci95 = halves.map(|halves| {
                let half = halves.iter().sum::<f64>() / n;
                [value - half, value + half]
            });
            Some(At { x, value, ci95 })
        };
        first.iter().filter_map(|at| mean_at(at.x)).collect()
    }

    fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let plain = self.filters.iter().take(1);
        let sinks = self.filters.iter().skip(1).filter(|filter| *filter == "no_sinks");
        for filter in plain.chain(sinks) {
            let what = match self.filters.len() {
                1 => "The intrinsic dimension, averaged over the blocks,".to_owned(),
                _ => {
                    format!("The intrinsic dimension, averaged over the blocks (filter {filter}),")
                }
            };
            findings
                .push(claims::rises_then_falls(&what, &self.mean("intrinsic_dimension", filter)));
            let what =
                format!("The anisotropy of a decoder grows during training (filter {filter})");
            findings.push(claims::grows(&what, &self.mean("anisotropy", filter)));
        }
        findings
    }

    fn headline(&self, findings: &[Finding]) -> String {
        let curve = self.mean("intrinsic_dimension", self.filter());
        let ends = (curve.first(), claims::highest(&curve), curve.last());
        let (Some(first), Some(top), Some(last)) = ends else {
            return "Nothing was measured".to_owned();
        };
        let fate = match findings.first().map(|finding| finding.verdict) {
            Some(claims::Verdict::Holds) => "The dimension rises, then falls",
            Some(claims::Verdict::Partly) => "The dimension rises and does not clearly fall",
            Some(claims::Verdict::DoesNotHold) => "The dimension falls from the start",
            _ => "The dimension does not clearly change",
        };
        format!(
            "{fate}: {} at step {}, {} at step {}, {} at step {}",
            short(first.value),
            short(first.x),
            short(top.value),
            short(top.x),
            short(last.value),
            short(last.x)
        )
    }

    fn loss(&self, split: &str) -> Vec<At> {
        self.curves.over("loss", "step", &[("split", split)])
    }

    fn losses(&self) -> Vec<String> {
        let curve = self.loss("heldout");
        let (Some(first), Some(last)) = (curve.first(), curve.last()) else { return Vec::new() };
        vec![format!(
            "The loss on held-out text goes from {} nats at step {} to {} at step {}.",
            short(first.value),
            short(first.x),
            short(last.value),
            short(last.x)
        )]
    }

    fn confidence(&self, config: &TrainingConfig) -> Vec<String> {
        let mut lines = vec![
            "One training with one seed for each seed of the run. Bands are within a state of the \
             model: of a dimension over its points, of spectral measures over documents."
                .to_owned(),
        ];
        if config.by_step().is_empty() {
            lines.push(format!(
                "{} steps of a model of {} blocks and width {} are far from the trainings of the \
                 paper: what a longer one does later is not seen here. Step 0 is the untrained \
                 control.",
                config.recipe.steps, config.recipe.n_layers, config.recipe.d_model
            ));
        }
        if self.filters.len() > 1 {
            lines.push(format!(
                "Figures are under the filter {}; sentences also under no_sinks, where it is \
                 measured.",
                self.filter()
            ));
        }
        lines
    }

    fn figures(&self) -> Vec<Figure> {
        let over_steps = |name: &str, title: &str, caption: &str, y: &str, series: Vec<Series>| {
            (!series.is_empty()).then(|| Figure {
                name: name.to_owned(),
                title: title.to_owned(),
                caption: caption.to_owned(),
                part: String::new(),
                chart: Chart::Lines {
                    x: "step".to_owned(),
                    y: y.to_owned(),
                    axis: Axis::Log,
                    series,
                },
            })
        };
        let losses = [("train", "text to learn from"), ("heldout", "held-out text")];
        let losses = losses
            .iter()
            .enumerate()
            .filter_map(|(index, (split, label))| line(label, index, index, &self.loss(split)));
        let mut figures: Vec<Figure> = Vec::new();
        let caption = "Cross-entropy of the next token. Step 0 is the untrained model.";
        figures.extend(over_steps("loss", "Loss", caption, "loss (nats)", losses.collect()));
        for (name, title) in MEASURES {
            let mut series = Vec::new();
            for (index, layer) in self.layers.iter().enumerate() {
                let curve = self.of_site(name, layer, self.filter());
                series.extend(line(&format!("site {layer}"), index, index / 4, &curve));
            }
            series.extend(self.untrained(name));
            let caption = "A line for each site; site 0 is the embedding. Step 0, at the left, is \
                           the untrained model. Bands: 95\u{a0}% intervals.";
            figures.extend(over_steps(name, title, caption, &name.replace('_', " "), series));
        }
        if self.filters.len() > 1 {
            for (name, title) in &MEASURES[..2] {
                let lines = self.filters.iter().enumerate();
                let series = lines
                    .filter_map(|(i, filter)| line(filter, i, i, &self.mean(name, filter)))
                    .collect();
                figures.extend(over_steps(
                    &format!("filters_{name}"),
                    &format!("{title} by filter, mean over the blocks"),
                    "With and without the tokens that stand out. Bands: 95\u{a0}% intervals.",
                    &name.replace('_', " "),
                    series,
                ));
            }
        }
        figures
    }

    /// The untrained control of a list of checkpoints: its mean as a level.
    fn untrained(&self, name: &str) -> Option<Series> {
        let curve = self.over(name, "layer", self.filter(), &[("control", "untrained")]);
        let blocks: Vec<f64> = curve.iter().filter(|at| at.x > 0.5).map(|at| at.value).collect();
        let steps = self.loss("heldout");
        let steps = if steps.is_empty() { self.mean(name, self.filter()) } else { steps };
        let (first, last) = (steps.iter().find(|at| at.x > 0.0)?, steps.last()?);
        let y = blocks.iter().sum::<f64>() / blocks.len() as f64;
        let points = [first.x, last.x].map(|x| Point { x, y, band: None }).to_vec();
        (!blocks.is_empty()).then(|| Series {
            label: "untrained, mean".to_owned(),
            colour: 7,
            dash: 1,
            points,
        })
    }

    /// One row per step.
    fn summary(&self) -> Table {
        let heads = ["step", "loss, train", "loss, held out"].into_iter();
        let heads = heads.chain(MEASURES.iter().map(|(name, _)| *name));
        let mut table = Table::new("summary", "Means over the blocks", heads);
        let means: Vec<Vec<At>> =
            MEASURES.iter().map(|(name, _)| self.mean(name, self.filter())).collect();
        let columns = [vec![self.loss("train"), self.loss("heldout")], means].concat();
        let mut steps: Vec<f64> = columns.iter().flatten().map(|at| at.x).collect();
        steps.sort_by(f64::total_cmp);
        steps.dedup_by(|a, b| (*a - *b).abs() < 0.5);
        for step in steps {
            let values = columns.iter().map(|curve| {
                let found = curve.iter().find(|at| (at.x - step).abs() < 0.5);
                Cell::from(found.map(|at| at.value))
            });
            let values: Vec<Cell> = values.collect();
            table.push(std::iter::once(Cell::from(step)).chain(values));
        }
        table
    }

    /// One row per step, filter and site.
    fn layers_table(&self) -> Table {
        let heads = ["filter", "site", "step"].into_iter();
        let heads = heads.chain(MEASURES.iter().map(|(name, _)| *name));
        let mut table = Table::new("layers", "Every site", heads);
        for filter in &self.filters {
            for layer in &self.layers {
                let columns: Vec<Vec<At>> =
                    MEASURES.iter().map(|(name, _)| self.of_site(name, layer, filter)).collect();
                for at in columns.iter().max_by_key(|curve| curve.len()).into_iter().flatten() {
                    let values = columns.iter().map(|curve| {
                        let found = curve.iter().find(|other| (other.x - at.x).abs() < 0.5);
                        Cell::from(found.map(|at| at.value))
                    });
                    let values: Vec<Cell> = values.collect();
                    let site = layer.parse::<f64>().map_or(Cell::Empty, Cell::from);
                    let head = [Cell::from(filter.as_str()), site, Cell::from(at.x)];
                    table.push(head.into_iter().chain(values));
                }
            }
        }
        table
    }
}
