//! Figures, tables and words on estimators against truth, from the records alone.

use sixfold_geometry::manifolds::Manifold;

use super::super::super::curves::{At, Curves, line};
use super::ManifoldsConfig;
use super::trust::{TOLERANCE, Trust, table_of, trust};
use crate::figure::{Axis, Chart, Figure, Series};
use crate::format::short;
use crate::present::Presentation;
use crate::record::Results;
use crate::table::{Cell, Table};

/// Lines of a chart that can still be told apart.
const LINES: usize = 5;

/// All there is to say.
pub(super) fn present(config: &ManifoldsConfig, results: &Results) -> Presentation {
    let view = View::new(Curves::new(results));
    let mut trusts: Vec<Trust> =
        view.shown().iter().map(|name| trust(name, &view.biases(name))).collect();
    trusts.sort_by_key(|trust| std::cmp::Reverse((trust.upto, trust.within[0])));
    Presentation {
        headline: view.headline(&trusts),
        answer: trusts.iter().take(4).map(Trust::sentence).collect(),
        confidence: view.confidence(config),
        figures: view.figures(),
        tables: vec![
            table_of(&trusts),
            view.table("bias", "Bias as a share of the dimension"),
            view.estimates(),
        ],
    }
}

struct View<'a> {
    curves: Curves<'a>,
    estimators: Vec<String>,
    manifolds: Vec<Manifold>,
}

impl<'a> View<'a> {
    fn new(curves: Curves<'a>) -> Self {
        let names = curves.distinct("bias", "manifold");
        let mut manifolds: Vec<Manifold> = Manifold::ALL
            .into_iter()
            .filter(|manifold| names.iter().any(|name| name == manifold.name()))
            .collect();
        manifolds.sort_by_key(|manifold| manifold.intrinsic());
        Self { curves, estimators: curves.distinct("bias", "estimator"), manifolds }
    }

    fn value(&self, name: &str, manifold: Manifold, estimator: &str) -> Option<f64> {
        self.curves.one(name, &[("manifold", manifold.name()), ("estimator", estimator)])
    }

    fn biases(&self, estimator: &str) -> Vec<(Manifold, f64)> {
        let of = |manifold: &Manifold| Some((*manifold, self.value("bias", *manifold, estimator)?));
        self.manifolds.iter().filter_map(of).collect()
    }

    /// What all estimators do on the manifolds of the highest dimensions.
    fn headline(&self, trusts: &[Trust]) -> String {
        let Some(best) = trusts.first() else { return "Nothing was measured".to_owned() };
        let percent = short(100.0 * TOLERANCE);
        let Some(upto) = best.upto else {
            let [within, all] = best.within;
            return format!(
                "No estimator stays within {percent} % of the truth on every manifold; {} does on \
                 {within} of {all}",
                best.estimator
            );
        };
        let high: Vec<f64> = self
            .estimators
            .iter()
            .flat_map(|name| self.biases(name))
            .filter(|(manifold, _)| manifold.intrinsic() > upto.max(10))
            .map(|(_, bias)| bias)
            .collect();
        let low = high.iter().filter(|bias| **bias < 0.0).count();
        let rest = match high.is_empty() {
            true => String::new(),
            false => format!(
                "; above dimension {}, {} % of all estimates are too low",
                upto.max(10),
                (100.0 * low as f64 / high.len() as f64).round()
            ),
        };
        format!(
            "{} stays within {percent} % of the truth up to dimension {upto}{rest}",
            best.estimator
        )
    }

    fn confidence(&self, config: &ManifoldsConfig) -> Vec<String> {
        let mut lines = vec![format!(
            "{} clouds of {} points of each manifold. Intervals are over these clouds, by Student's t.",
            config.repeats, config.n
        )];
        let mut covers: Vec<f64> = Vec::new();
        for name in &self.estimators {
            for (manifold, bias) in self.biases(name) {
                if bias.abs() <= 0.03 {
                    covers.extend(self.value("coverage", manifold, name));
                }
            }
        }
        if !covers.is_empty() {
            let mean = covers.iter().sum::<f64>() / covers.len() as f64;
            lines.push(format!(
                "Where the bias is below 3\u{a0}%, {} % of the 95\u{a0}% intervals hold the truth. \
                 An interval knows the scatter of the points and not the bias: where that is \
                 large, coverage is 0.",
                short(100.0 * mean)
            ));
        }
        lines.push(
            "No noise was added, and no cloud is as uneven as the states of a model.".to_owned(),
        );
        lines
    }

    /// The estimators of the figures. The nearest pair of ranks is TwoNN; of the others, each second
    /// one shows the trend.
    fn shown(&self) -> Vec<String> {
        let hidden = ["gride-2", "gride-8", "gride-32"];
        self.estimators.iter().filter(|name| !hidden.contains(&name.as_str())).cloned().collect()
    }

    fn figures(&self) -> Vec<Figure> {
        let rows: Vec<String> = self
            .manifolds
            .iter()
            .map(|m| format!("{} ({}/{})", m.name(), m.intrinsic(), m.ambient()))
            .collect();
        let columns = self.shown();
        let heat = |name: &str, factor: f64| -> Vec<Vec<f64>> {
            let of = |m: Manifold, estimator: &String| {
                self.value(name, m, estimator).map_or(f64::NAN, |value| factor * value)
            };
            self.manifolds
                .iter()
                .map(|m| columns.iter().map(|estimator| of(*m, estimator)).collect())
                .collect()
        };
        let with_interval: Vec<usize> = (0..columns.len())
            .filter(|&index| {
                let name = &columns[index];
                self.manifolds.iter().any(|m| self.value("coverage", *m, name).is_some())
            })
            .collect();
        let mut figures = vec![Figure {
            name: "bias".to_owned(),
            title: "Bias by manifold and estimator".to_owned(),
            caption: "Mean estimate less the true dimension, in per cent of it. Rows: manifold \
                      (dimension / coordinates), from few dimensions to many."
                .to_owned(),
            part: String::new(),
            chart: Chart::Heat {
                value: "bias (%)".to_owned(),
                columns: columns.clone(),
                rows: rows.clone(),
                cells: heat("bias", 100.0),
                signed: true,
                deepest: None,
            },
        }];
        if !with_interval.is_empty() {
            let cells = heat("coverage", 1.0)
                .into_iter()
                .map(|row| with_interval.iter().map(|&index| row[index]).collect())
                .collect();
            figures.push(Figure {
                name: "coverage".to_owned(),
                title: "Coverage of 95\u{a0}% intervals".to_owned(),
                caption: "Share of clouds whose interval holds the true dimension. Estimators \
                          without intervals are left out."
                    .to_owned(),
                part: String::new(),
                chart: Chart::Heat {
                    value: "coverage".to_owned(),
                    columns: with_interval.iter().map(|&i| columns[i].clone()).collect(),
                    rows,
                    cells,
                    signed: false,
                    deepest: None,
                },
            });
        }
        figures.extend(self.by_dimension());
        figures
    }

    /// Bias over the dimension, in charts of as many lines as can be told apart.
    fn by_dimension(&self) -> Vec<Figure> {
        let mean_bias = |estimator: &String| -> Vec<At> {
            let mut curve: Vec<At> = Vec::new();
            let biases = self.biases(estimator);
            for d in biases.iter().map(|(m, _)| m.intrinsic()) {
                if curve.iter().any(|at| (at.x - d as f64).abs() < 0.5) {
                    continue;
                }
                let same: Vec<f64> = biases
                    .iter()
                    .filter(|(m, _)| m.intrinsic() == d)
                    .map(|(_, bias)| 100.0 * bias)
                    .collect();
                let value = same.iter().sum::<f64>() / same.len() as f64;
                curve.push(At { x: d as f64, value, ci95: None });
            }
            curve
        };
        let shown = self.shown();
        let charts = shown.chunks(LINES).enumerate();
        charts
            .map(|(number, estimators)| {
                let series: Vec<Series> = estimators
                    .iter()
                    .enumerate()
                    .filter_map(|(index, name)| line(name, index, index, &mean_bias(name)))
                    .collect();
                Figure {
                    name: format!("bias_by_dimension_{number}"),
                    title: format!("Bias over the dimension: {}", estimators.join(", ")),
                    caption: "Mean over the manifolds of one dimension, in per cent.".to_owned(),
                    part: String::new(),
                    chart: Chart::Lines {
                        x: "true dimension".to_owned(),
                        y: "bias (%)".to_owned(),
                        axis: Axis::Log,
                        series,
                    },
                }
            })
            .collect()
    }

    fn table(&self, name: &str, title: &str) -> Table {
        let heads = ["manifold", "what", "dimension", "coordinates"].into_iter();
        let heads = heads.chain(self.estimators.iter().map(String::as_str));
        let mut table = Table::new(name, title, heads);
        for m in &self.manifolds {
            let head = [
                Cell::from(m.name()),
                Cell::from(m.description()),
                Cell::from(m.intrinsic()),
                Cell::from(m.ambient()),
            ];
            let values = self.estimators.iter().map(|e| Cell::from(self.value(name, *m, e)));
            let values: Vec<Cell> = values.collect();
            table.push(head.into_iter().chain(values));
        }
        table
    }

    fn estimates(&self) -> Table {
        Table {
            name: "estimates".to_owned(),
            ..self.table("intrinsic_dimension", "Mean estimates")
        }
    }
}
