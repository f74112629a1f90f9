//! Figures, tables and words of a profile, from its records alone.

use super::super::super::curves::{At, Curves};
use super::super::claims::{self, highest};
use super::findings::{self, Model};
use crate::format::short;
use crate::present::Presentation;
use crate::record::Results;
use crate::table::{Cell, Table};

/// A measure: its name in `results.json`, the title of its figure, and what it is.
pub(super) type Info = (&'static str, &'static str, &'static str);

/// The measures of a site, in the order of the report.
pub(super) const MEASURES: [Info; 8] = [
    (
        "anisotropy",
        "Anisotropy",
        "Share of the variance along the first principal direction; 1/D where all directions are \
         equal.",
    ),
    (
        "intrinsic_dimension",
        "Intrinsic dimension",
        "How many directions the nearest neighbours of a token spread over.",
    ),
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
pub(super) const COMPARED: [&str; 3] = ["anisotropy", "intrinsic_dimension", "mean_cosine"];

pub(super) const BETWEEN: [Info; 2] = [
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
    let estimator = view.estimator.clone().unwrap_or_default();
    for model in &view.models {
        answer.extend(findings::of_dimension(&curves, &model.name, view.filter(), &estimator));
    }
    let controls = findings::controls(&curves, &view.models, view.filter(), &estimator);
    Presentation {
        headline: view.headline(),
        answer,
        confidence: view.confidence(results),
        figures: view.figures(),
        tables: [claims::table(&found), controls, view.summary(), view.layers()]
            .into_iter()
            .filter(|table| !table.rows.is_empty())
            .collect(),
    }
}

pub(super) struct View<'a> {
    pub(super) curves: Curves<'a>,
    pub(super) models: Vec<Model>,
    pub(super) filters: Vec<String>,
    /// The first estimator of the dimension.
    pub(super) estimator: Option<String>,
}

impl View<'_> {
    pub(super) fn over(&self, name: &str, model: &str, filter: &str, control: &str) -> Vec<At> {
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

    pub(super) fn filter(&self) -> &str {
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
