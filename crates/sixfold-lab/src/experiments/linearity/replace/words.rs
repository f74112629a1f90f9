//! Figures, tables and words of the surgery, from its records alone.

use super::ReplaceConfig;
use crate::experiments::curves::{At, Curves, line};
use crate::figure::{Axis, Chart, Figure, Series};
use crate::format::short;
use crate::present::Presentation;
use crate::record::Results;
use crate::table::{Cell, Table};

/// Methods in the order of the report, and how a sentence names them.
const METHODS: [(&str, &str); 4] = [
    ("prune", "taking them out"),
    ("affine", "an affine map for each"),
    ("affine-span", "one affine map for neighbours"),
    ("affine-distill", "affine maps that are trained"),
];

/// All there is to say.
pub(super) fn present(config: &ReplaceConfig, results: &Results) -> Presentation {
    let curves = Curves::new(results);
    let view = View { curves, model: config.model.name() };
    let mut figures = Vec::new();
    let tasks = curves.distinct("accuracy", "task");
    figures.extend(view.methods_figure("loss", "loss (nats)", &[]));
    figures.extend(view.methods_figure("perplexity", "perplexity", &[]));
    for task in &tasks {
        figures.extend(view.methods_figure("accuracy", "accuracy", &[("task", task)]));
    }
    figures.extend(view.orders_figure());
    Presentation {
        headline: view.headline(&tasks),
        answer: view.answer(&tasks),
        confidence: view.confidence(results),
        figures,
        tables: [view.table(&tasks), view.orders_table(), view.scores()]
            .into_iter()
            .filter(|table| !table.rows.is_empty())
            .collect(),
    }
}

struct View<'a> {
    curves: Curves<'a>,
    model: String,
}

impl View<'_> {
    /// The order of the paper where it was run, else the first one that was.
    fn order(&self) -> String {
        let orders = self.orders();
        let papers = orders.iter().find(|order| *order == "most-linear");
        papers.or(orders.first()).cloned().unwrap_or_default()
    }

    fn orders(&self) -> Vec<String> {
        let mut orders = self.curves.distinct("parameters", "order");
        orders.retain(|order| order != "none");
        orders
    }

    /// A measure over the number of layers, from the whole model on.
    fn curve(&self, name: &str, method: &str, order: &str, more: &[(&str, &str)]) -> Vec<At> {
        let of = |method: &str, order: &str| {
            let mut place = vec![("method", method), ("order", order)];
            place.extend_from_slice(more);
            self.curves.over(name, "n_layers", &place)
        };
        let changed = of(method, order);
        if changed.is_empty() {
            return changed;
        }
        of("none", "none").into_iter().chain(changed).collect()
    }

    fn methods_figure(&self, name: &str, y: &str, more: &[(&str, &str)]) -> Option<Figure> {
        let order = self.order();
        let mut series: Vec<Series> = Vec::new();
        for (index, (method, _)) in METHODS.iter().enumerate() {
            series.extend(line(method, index, index, &self.curve(name, method, &order, more)));
        }
        let task = more.iter().map(|(_, value)| format!(" on {value}")).collect::<String>();
        let title = match name {
            "loss" => format!("Loss of {} on held-out text", self.model),
            "perplexity" => format!("Perplexity of {} on held-out text", self.model),
            _ => format!("Accuracy of a linear probe{task}, {}", self.model),
        };
        (!series.is_empty()).then(|| Figure {
            name: [name, more.first().map_or("", |(_, task)| task)].join(if more.is_empty() {
                ""
            } else {
                "_"
            }),
            title,
            caption: format!(
                "Layers are taken in the order {order}; at 0 the model is whole. Bands: 95\u{a0}% \
                 over seeds, where there are several."
            ),
            part: String::new(),
            chart: Chart::Lines {
                x: "layers that went".to_owned(),
                y: y.to_owned(),
                axis: Axis::Whole,
                series,
            },
        })
    }

    /// Whether the order matters, for the plainest method that was run.
    fn orders_figure(&self) -> Option<Figure> {
        let orders = self.orders();
        let method = ["affine", "prune"].into_iter().find(|method| {
            orders.iter().filter(|order| !self.curve("loss", method, order, &[]).is_empty()).count()
                > 1
        })?;
        let series = orders.iter().enumerate().filter_map(|(index, order)| {
            line(order, index, index, &self.curve("loss", method, order, &[]))
        });
        Some(Figure {
            name: "orders".to_owned(),
            title: format!("Which layers go first ({method})"),
            caption: "most-linear is the paper's order, greedy measures anew after each layer; \
                      least-linear and random are controls."
                .to_owned(),
            part: String::new(),
            chart: Chart::Lines {
                x: "layers that went".to_owned(),
                y: "loss (nats)".to_owned(),
                axis: Axis::Whole,
                series: series.collect(),
            },
        })
    }

    /// The measure that sentences are about: loss where there is one, else the first task.
    fn measure<'t>(&self, tasks: &'t [String]) -> (&'static str, Vec<(&'static str, &'t str)>) {
        match self.curves.one("loss", &[("method", "none")]) {
            Some(_) => ("perplexity", Vec::new()),
            None => {
                ("accuracy", tasks.iter().take(1).map(|task| ("task", task.as_str())).collect())
            }
        }
    }

    fn headline(&self, tasks: &[String]) -> String {
        let (name, more) = self.measure(tasks);
        let order = self.order();
        let ends: Vec<String> = METHODS
            .iter()
            .filter_map(|(method, _)| {
                let curve = self.curve(name, method, &order, &more);
                let at = curve.iter().find(|at| at.x > 0.5)?;
                Some(format!("{} by {method}", short(at.value)))
            })
            .collect();
        let whole = [("method", "none")];
        let place: Vec<(&str, &str)> = whole.iter().chain(&more).copied().collect();
        match (self.curves.one(name, &place), ends.is_empty()) {
            (Some(whole), false) => format!(
                "One layer less takes the {name} of {} from {} to {}",
                self.model,
                short(whole),
                ends.join(", ")
            ),
            _ => "Nothing was measured".to_owned(),
        }
    }

    fn answer(&self, tasks: &[String]) -> Vec<String> {
        let (name, more) = self.measure(tasks);
        let order = self.order();
        let mut lines = Vec::new();
        for (method, what) in METHODS {
            let curve = self.curve(name, method, &order, &more);
            let values: Vec<String> = curve.iter().skip(1).map(|at| short(at.value)).collect();
            if let (Some(first), Some(last)) = (curve.get(1), curve.last()) {
                lines.push(format!(
                    "With {} to {} layers gone, {what}: {name} {}.",
                    short(first.x),
                    short(last.x),
                    values.join(", ")
                ));
            }
        }
        lines.extend(self.order_sentence());
        lines
    }

    /// Whether the paper's order does better than the controls, number by number.
    fn order_sentence(&self) -> Option<String> {
        let of = |method: &str, order: &str| self.curve("loss", method, order, &[]);
        for method in ["affine", "prune"] {
            let (most, controls) = (of(method, "most-linear"), ["least-linear", "random"]);
            let compared: Vec<String> = controls
                .iter()
                .filter_map(|order| {
                    let control = of(method, order);
                    let pairs: Vec<bool> = most
                        .iter()
                        .filter(|at| at.x > 0.5)
                        .filter_map(|at| {
                            let other = control.iter().find(|one| (one.x - at.x).abs() < 0.5)?;
                            Some(at.value < other.value)
                        })
                        .collect();
                    let won = pairs.iter().filter(|won| **won).count();
                    (!pairs.is_empty()).then(|| format!("{order} {won} times of {}", pairs.len()))
                })
                .collect();
            if !compared.is_empty() {
                return Some(format!(
                    "Whether the order matters ({method}): the most linear layers first beats {}.",
                    compared.join(", ")
                ));
            }
        }
        None
    }

    fn confidence(&self, results: &Results) -> Vec<String> {
        let mut lines = vec![
            "Pruning and fitted maps depend on no seed; the seed orders the batches of \
             distillation and the control of a random order."
                .to_owned(),
            "The affine map is fitted on one text and the loss taken on other documents. Attention \
             of a replaced layer is gone: its map sees one token at a time."
                .to_owned(),
        ];
        if results.seeds.len() > 1 {
            lines.push(format!("{} seeds; bands are over them.", results.seeds.len()));
        }
        lines
    }

    /// One row per number of layers, one column per method, in the order of the paper.
    fn table(&self, tasks: &[String]) -> Table {
        let mut measures: Vec<(&str, Vec<(&str, &str)>)> = vec![("perplexity", Vec::new())];
        measures.extend(tasks.iter().map(|task| ("accuracy", vec![("task", task.as_str())])));
        let order = self.order();
        let mut columns: Vec<(String, Vec<At>)> = Vec::new();
        for (name, more) in &measures {
            for (method, _) in METHODS {
                let curve = self.curve(name, method, &order, more);
                let task = more.first().map_or(String::new(), |(_, task)| format!(" {task}"));
                if !curve.is_empty() {
                    columns.push((format!("{name}{task}, {method}"), curve));
                }
            }
        }
        let heads = std::iter::once("layers gone".to_owned());
        let heads = heads.chain(columns.iter().map(|(head, _)| head.clone()));
        let title = format!("What it costs, layers in the order {order}");
        let mut table = Table::new("replace", title, heads);
        let mut rows: Vec<f64> =
            columns.iter().flat_map(|(_, curve)| curve).map(|at| at.x).collect();
        rows.sort_by(f64::total_cmp);
        rows.dedup();
        for x in rows {
            let cells = columns.iter().map(|(_, curve)| {
                Cell::from(curve.iter().find(|at| (at.x - x).abs() < 0.5).map(|at| at.value))
            });
            table.push(std::iter::once(Cell::from(x)).chain(cells.collect::<Vec<_>>()));
        }
        table
    }

    /// One row per number of layers, one column per order, for the plain affine maps.
    fn orders_table(&self) -> Table {
        let orders = self.orders();
        let heads = std::iter::once("layers gone".to_owned()).chain(orders.iter().cloned());
        let title = "Perplexity with affine maps, by the order in which layers go";
        let mut table = Table::new("orders", title, heads);
        let columns: Vec<Vec<At>> =
            orders.iter().map(|order| self.curve("perplexity", "affine", order, &[])).collect();
        for at in columns.first().into_iter().flatten().filter(|at| at.x > 0.5) {
            let cells = columns.iter().map(|curve| {
                Cell::from(curve.iter().find(|one| (one.x - at.x).abs() < 0.5).map(|one| one.value))
            });
            table.push(std::iter::once(Cell::from(at.x)).chain(cells.collect::<Vec<_>>()));
        }
        table
    }

    fn scores(&self) -> Table {
        let mut table = Table::new(
            "scores",
            "Linearity of each block of the whole model",
            ["block", "linearity"],
        );
        for at in self.curves.over("linearity", "layer", &[]) {
            table.push([Cell::from(at.x), Cell::from(at.value)]);
        }
        table
    }
}
