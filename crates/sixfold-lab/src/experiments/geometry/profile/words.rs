//! Figures, tables and words of a profile, from its records alone.

use super::super::claims::{self, highest};
use super::super::curves::{At, Curves, line, relative};
use super::findings::{self, Model};
use crate::figure::{Axis, Chart, Figure, Series};
use crate::format::short;
use crate::present::Presentation;
use crate::record::Results;
use crate::table::{Cell, Table};

/// A measure: its name in `results.json`, the title of its figure, and what it is.
type Info = (&'static str, &'static str, &'static str);

/// The measures of a site, in the order of the report.
const MEASURES: [Info; 8] = [
    (
        "anisotropy",
        "Anisotropy",
        "Share of the variance along the first principal direction; 1/D where all directions are \
         equal.",
    ),
    ("intrinsic_dimension", "Intrinsic dimension", "Directions in which neighbours lie."),
    ("mean_cosine", "Mean cosine", "Average cosine between two tokens, over all pairs."),
    ("effective_rank", "Effective rank", "Exponential of the entropy of the eigenvalues."),
    (
        "participation_ratio",
        "Participation ratio",
        "(Σλ)² / Σλ²: how many directions carry the variance.",
    ),
    ("iso_score", "IsoScore", "0 where one direction holds everything, 1 where all hold the same."),
    ("nesum", "NESum", "Eigenvalues summed in units of the largest."),
    ("mean_norm", "Mean norm", "Average length of a token's embedding."),
];

/// The measures that are shown under every filter and control.
const COMPARED: [&str; 3] = ["anisotropy", "intrinsic_dimension", "mean_cosine"];

const BETWEEN: [Info; 2] = [
    (
        "neighbourhood_overlap",
        "Neighbourhood overlap",
        "Share of a token's nearest neighbours that it keeps from one site to the next.",
    ),
    (
        "information_imbalance",
        "Information imbalance",
        "0 where the neighbours at one site tell those at the other, 1 where they tell nothing. \
         Solid: from a site to the next; dashed: backward.",
    ),
];

/// All there is to say.
pub(super) fn present(results: &Results) -> Presentation {
    let curves = Curves::new(results);
    let view = View {
        curves,
        models: findings::models(&curves),
        filters: curves.distinct("anisotropy", "filter"),
        estimator: curves.distinct("intrinsic_dimension", "estimator").into_iter().next(),
    };
    let found = findings::findings(&curves, &view.models, &view.filters);
    let mut answer = view.verdicts(&found);
    if let (Some(filter), Some(estimator)) = (view.filters.first(), &view.estimator) {
        for model in &view.models {
            answer.extend(findings::of_dimension(&curves, &model.name, filter, estimator));
        }
    }
    Presentation {
        headline: view.headline(),
        answer,
        confidence: view.confidence(results),
        figures: view.figures(),
        tables: [claims::table(&found), view.summary(), view.layers()]
            .into_iter()
            .filter(|table| !table.rows.is_empty())
            .collect(),
    }
}

struct View<'a> {
    curves: Curves<'a>,
    models: Vec<Model>,
    filters: Vec<String>,
    /// The first estimator of the dimension.
    estimator: Option<String>,
}

impl View<'_> {
    fn over(&self, name: &str, model: &str, filter: &str, control: &str) -> Vec<At> {
        match (name, &self.estimator) {
            ("intrinsic_dimension", Some(estimator)) => {
                findings::dimension(&self.curves, model, filter, control, estimator)
            }
            _ => {
                let place = [("model", model), ("filter", filter), ("control", control)];
                self.curves.over(name, "layer", &place)
            }
        }
    }

    fn filter(&self) -> &str {
        self.filters.first().map_or("", String::as_str)
    }

    fn headline(&self) -> String {
        let peaks: Vec<String> = self
            .models
            .iter()
            .filter_map(|model| {
                let curve = self.over("anisotropy", &model.name, self.filter(), "none");
                let top = highest(&curve)?;
                Some(format!("at {} in {} (site {})", short(top.value), model.name, short(top.x)))
            })
            .collect();
        match peaks.is_empty() {
            true => "Nothing was measured".to_owned(),
            false => format!("Anisotropy peaks {}", peaks.join(", ")),
        }
    }

    /// How many claims hold, and how many cannot be judged.
    fn verdicts(&self, found: &[claims::Finding]) -> Vec<String> {
        let names = |verdict: claims::Verdict| -> usize {
            found.iter().filter(|finding| finding.verdict == verdict).count()
        };
        use claims::Verdict::{CannotBeJudged, DoesNotHold, Holds, Partly};
        if found.is_empty() {
            return Vec::new();
        }
        vec![format!(
            "Of {} claims on these models {} hold, {} hold in part, {} do not, and {} cannot be \
             judged; the first table says why.",
            found.len(),
            names(Holds),
            names(Partly),
            names(DoesNotHold),
            names(CannotBeJudged)
        )]
    }

    fn confidence(&self, results: &Results) -> Vec<String> {
        let mut lines = Vec::new();
        for (name, title, _) in [MEASURES[0], MEASURES[1]] {
            let mut halves: Vec<f64> = results
                .named(name)
                .filter(|metric| metric.place.text("control") == "none")
                .filter_map(|metric| metric.ci95.map(|[low, high]| (high - low) / 2.0))
                .collect();
            halves.sort_by(f64::total_cmp);
            if let Some(median) = halves.get(halves.len() / 2) {
                lines.push(format!(
                    "{title}: ± {} (median half of a 95\u{a0}% interval).",
                    short(*median)
                ));
            }
        }
        lines.push(
            "Intervals of spectral measures are over documents of the text, by jackknife; those of \
             a dimension are over its points, widened because neighbours share distances. Tokens \
             of one document depend on each other, which the latter do not know."
                .to_owned(),
        );
        if self.filters.len() > 1 {
            lines.push(format!(
                "Sentences are about the filter {}; beside it: {}.",
                self.filter(),
                self.filters[1..].join(", ")
            ));
        }
        lines
    }

    /// Whether the models differ in depth, so that depth is shown as a share.
    fn relative(&self) -> bool {
        self.models.iter().any(|model| model.blocks != self.models[0].blocks)
    }

    fn figures(&self) -> Vec<Figure> {
        let mut figures = Vec::new();
        for info in MEASURES.iter().chain(&BETWEEN) {
            figures.extend(self.overlaid(info));
        }
        for name in COMPARED {
            let Some(info) = MEASURES.iter().find(|info| info.0 == name) else { continue };
            for model in &self.models {
                figures.extend(self.filtered(info, model));
            }
        }
        for info in MEASURES.iter().filter(|info| COMPARED.contains(&info.0)).chain(&BETWEEN[..1]) {
            for model in &self.models {
                figures.extend(self.controlled(info, model));
            }
        }
        for model in &self.models {
            figures.extend(self.estimators(model));
            figures.extend(self.scales(model));
        }
        figures
    }

    fn figure(&self, part: &str, name: String, info: &Info, whose: &str, chart: Lines) -> Figure {
        let Lines { relative, series } = chart;
        let banded = series.iter().flat_map(|line| &line.points).any(|point| point.band.is_some());
        let bands = if banded { " Bands: 95\u{a0}% intervals." } else { "" };
        Figure {
            name,
            title: format!("{}{whose}", info.1),
            caption: format!("{}{bands}", info.2),
            part: part.to_owned(),
            chart: Chart::Lines {
                x: if relative { "relative depth" } else { "site" }.to_owned(),
                y: info.0.replace('_', " "),
                axis: if relative { Axis::Linear } else { Axis::Whole },
                series,
            },
        }
    }

    /// All models, under the first filter and the one for sinks.
    fn overlaid(&self, info: &Info) -> Option<Figure> {
        let mut filters = vec![self.filter()];
        filters.extend(self.filters[1..].iter().map(String::as_str).find(|f| *f == "no_sinks"));
        let relative_depth = self.relative();
        let place = |curve: Vec<At>| if relative_depth { relative(curve) } else { curve };
        let mut series = Vec::new();
        for (colour, model) in self.models.iter().enumerate() {
            let kind = if model.causal { "decoder" } else { "encoder" };
            if info.0 == "information_imbalance" {
                for (dash, direction) in ["forward", "backward"].into_iter().enumerate() {
                    let labels = [
                        ("model", model.name.as_str()),
                        ("filter", self.filter()),
                        ("control", "none"),
                        ("direction", direction),
                    ];
                    let curve = place(self.curves.over(info.0, "layer", &labels));
                    series.extend(line(
                        &format!("{}, {direction}", model.name),
                        colour,
                        dash,
                        &curve,
                    ));
                }
                continue;
            }
            for (dash, filter) in filters.iter().enumerate() {
                let curve = place(self.over(info.0, &model.name, filter, "none"));
                let label = match filters.len() {
                    1 => format!("{} ({kind})", model.name),
                    _ => format!("{} ({kind}), {filter}", model.name),
                };
                series.extend(line(&label, colour, dash, &curve));
            }
        }
        let chart = Lines { relative: relative_depth, series };
        (!chart.series.is_empty())
            .then(|| self.figure("Over the layers", info.0.to_owned(), info, "", chart))
    }

    /// One model under all filters.
    fn filtered(&self, info: &Info, model: &Model) -> Option<Figure> {
        let curves = self.filters.iter().enumerate().filter_map(|(index, filter)| {
            line(filter, index, index, &self.over(info.0, &model.name, filter, "none"))
        });
        let series: Vec<Series> = curves.collect();
        let name = format!("filters_{}_{}", info.0, slug(&model.name));
        let whose = format!(" by filter, {}", model.name);
        let chart = Lines { relative: false, series };
        (chart.series.len() > 1).then(|| self.figure("Token filters", name, info, &whose, chart))
    }

    /// One model beside its controls.
    fn controlled(&self, info: &Info, model: &Model) -> Option<Figure> {
        let controls = [
            ("none", "the model"),
            ("untrained", "untrained"),
            ("shuffled", "shuffled text"),
            ("gaussian", "Gaussian cloud"),
        ];
        let curves = controls.iter().enumerate().filter_map(|(index, (control, label))| {
            line(label, index, index, &self.over(info.0, &model.name, self.filter(), control))
        });
        let series: Vec<Series> = curves.collect();
        let name = format!("controls_{}_{}", info.0, slug(&model.name));
        let whose = format!(" beside controls, {}", model.name);
        let chart = Lines { relative: false, series };
        (chart.series.len() > 1).then(|| self.figure("Controls", name, info, &whose, chart))
    }

    /// The dimension of one model by all estimators that have one scale.
    fn estimators(&self, model: &Model) -> Option<Figure> {
        let names = self.curves.distinct("intrinsic_dimension", "estimator");
        let curves = names.iter().filter_map(|estimator| {
            let curve =
                findings::dimension(&self.curves, &model.name, self.filter(), "none", estimator);
            (!curve.is_empty()).then_some((estimator, curve))
        });
        let series: Vec<Series> = curves
            .enumerate()
            .filter_map(|(index, (estimator, curve))| line(estimator, index, index, &curve))
            .collect();
        let name = format!("estimators_{}", slug(&model.name));
        let whose = format!(" by estimator, {}", model.name);
        let chart = Lines { relative: false, series };
        (chart.series.len() > 1)
            .then(|| self.figure("Estimators and scales", name, &MEASURES[1], &whose, chart))
    }

    /// GRIDE's dimension of one model over the scale, a line for each site.
    fn scales(&self, model: &Model) -> Option<Figure> {
        let sites = self.curves.distinct("anisotropy", "layer");
        let of_site = |site: &String| {
            let place = [
                ("model", model.name.as_str()),
                ("filter", self.filter()),
                ("control", "none"),
                ("estimator", "gride"),
                ("layer", site.as_str()),
            ];
            self.curves.over("intrinsic_dimension", "scale", &place)
        };
        let series: Vec<Series> = sites
            .iter()
            .enumerate()
            .filter_map(|(index, site)| {
                line(&format!("site {site}"), index, index / 8, &of_site(site))
            })
            .collect();
        (!series.is_empty()).then(|| Figure {
            name: format!("scales_{}", slug(&model.name)),
            title: format!("Intrinsic dimension by scale, {}", model.name),
            caption:
                "GRIDE: the same cloud looked at from farther away. A dimension that does not \
                      depend on the scale is flat. Bands: 95\u{a0}% intervals."
                    .to_owned(),
            part: "Estimators and scales".to_owned(),
            chart: Chart::Lines {
                x: "rank of the farther neighbour".to_owned(),
                y: "intrinsic dimension".to_owned(),
                axis: Axis::Log,
                series,
            },
        })
    }

    /// One row per model, control and filter: means over the sites.
    fn summary(&self) -> Table {
        let heads = ["model", "control", "filter", "tokens"].into_iter();
        let heads = heads.chain(MEASURES.iter().map(|info| info.0));
        let mut table = Table::new("summary", "Means over the sites", heads);
        self.rows(|model, control, filter| {
            let place = [("model", model), ("filter", filter)];
            let tokens = self.curves.one("tokens", &place);
            let means: Vec<Cell> = MEASURES
                .iter()
                .map(|info| {
                    let curve = self.over(info.0, model, filter, control);
                    let sum: f64 = curve.iter().map(|at| at.value).sum();
                    Cell::from((!curve.is_empty()).then(|| sum / curve.len() as f64))
                })
                .collect();
            if means.iter().any(|cell| *cell != Cell::Empty) {
                let head = [model, control, filter].map(Cell::from);
                table.push(head.into_iter().chain([Cell::from(tokens)]).chain(means));
            }
        });
        table
    }

    /// One row per model, control, filter and site.
    fn layers(&self) -> Table {
        let infos: Vec<&Info> = MEASURES.iter().chain(&BETWEEN[..1]).collect();
        let heads = ["model", "control", "filter", "site"].into_iter();
        let heads = heads.chain(infos.iter().map(|info| info.0));
        let mut table = Table::new("layers", "Every site", heads);
        self.rows(|model, control, filter| {
            let columns: Vec<Vec<At>> =
                infos.iter().map(|info| self.over(info.0, model, filter, control)).collect();
            let mut sites: Vec<f64> = columns.iter().flatten().map(|at| at.x).collect();
            sites.sort_by(f64::total_cmp);
            sites.dedup_by(|a, b| (*a - *b).abs() < 0.5);
            for site in sites {
                let values = columns.iter().map(|curve| {
                    let found = curve.iter().find(|at| (at.x - site).abs() < 0.5);
                    Cell::from(found.map(|at| at.value))
                });
                let head = [model, control, filter].map(Cell::from);
                let values: Vec<Cell> = values.collect();
                table.push(head.into_iter().chain([Cell::from(site)]).chain(values));
            }
        });
        table
    }

    /// Calls for every model, control and filter in order.
    fn rows(&self, mut each: impl FnMut(&str, &str, &str)) {
        for model in &self.models {
            for control in ["none", "untrained", "shuffled", "gaussian"] {
                for filter in &self.filters {
                    each(&model.name, control, filter);
                }
            }
        }
    }
}

/// Lines over the sites.
struct Lines {
    relative: bool,
    series: Vec<Series>,
}

/// A name for a file.
fn slug(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
}
