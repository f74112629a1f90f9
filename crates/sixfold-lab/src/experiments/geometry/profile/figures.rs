//! The figures of a profile.

use super::super::super::curves::{At, line, relative};
use super::findings::{self, Model};
use super::words::{BETWEEN, COMPARED, Info, MEASURES, View};
use crate::figure::{Axis, Chart, Figure, Series};

impl View<'_> {
    /// Whether the models differ in depth, so that depth is shown as a share.
    fn relative(&self) -> bool {
        self.models.iter().any(|model| model.blocks != self.models[0].blocks)
    }

    /// All of them, in the order of the report.
    pub(super) fn figures(&self) -> Vec<Figure> {
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
                line(&format!("site {site}"), index, index / 4, &of_site(site))
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
