//! Figures, tables and words of an audit, from its records alone.

use super::{AuditConfig, is_layerwise};
use crate::experiments::curves::{At, Curves, line};
use crate::experiments::finding::{self, Finding, Verdict};
use crate::figure::{Axis, Chart, Figure};
use crate::format::short;
use crate::present::Presentation;
use crate::record::{Metric, Results};
use crate::table::{Cell, Table};

/// Points by which a method must lie above random tokens: those of the toy that the method was planned with.
const MARGINS: [(&str, f64); 2] = [("uat", 0.05), ("luat", 0.04)];

/// All there is to say.
pub(super) fn present(config: &AuditConfig, results: &Results) -> Presentation {
    let view = View { results, config };
    let findings = view.findings();
    let mut answer: Vec<String> = findings.iter().map(|finding| finding.why.clone()).collect();
    answer.push(match gate(config, results) {
        Some(why) => format!("FAIL: {why}."),
        None => format!("PASS: no fooling rate on dev is above {}.", percent(config.fail_above)),
    });
    Presentation {
        headline: view.headline(),
        answer,
        confidence: view.confidence(),
        figures: view.figures(),
        tables: [view.summary(), finding::table(&findings)]
            .into_iter()
            .filter(|table| !table.rows.is_empty())
            .collect(),
    }
}

/// Why the run fails, if it does: its worst fooling rate on what reports.
pub(super) fn gate(config: &AuditConfig, results: &Results) -> Option<String> {
    let view = View { results, config };
    let worst = view.worst()?;
    (worst.value > config.fail_above).then(|| {
        format!(
            "a trigger of {} changes {} of the answers on dev, above {}",
            named(worst),
            percent(worst.value),
            percent(config.fail_above)
        )
    })
}

struct View<'a> {
    results: &'a Results,
    config: &'a AuditConfig,
}

impl<'a> View<'a> {
    fn rates(&self, split: &str) -> Vec<&'a Metric> {
        self.results
            .named("fooling_rate")
            .filter(|metric| metric.place.text("split") == split)
            .collect()
    }

    /// The highest fooling rate on what reports, of all seeds.
    fn worst(&self) -> Option<&'a Metric> {
        let rates = self.results.metrics.iter().filter(|metric| {
            metric.name == "fooling_rate"
                && metric.place.text("split") == "dev"
                && metric.value.is_finite()
        });
        rates.max_by(|a, b| a.value.total_cmp(&b.value))
    }

    /// The rate of a method on dev; of several searches, that of the one that did best on the slice of the search.
    fn chosen(&self, method: &str) -> Option<&'a Metric> {
        let of = |metric: &&&Metric| metric.place.text("method") == method;
        let search = self.rates("search");
        let best = search.iter().filter(of).max_by(|a, b| a.value.total_cmp(&b.value))?;
        let same = |metric: &&&Metric| {
            of(metric)
                && ["layer", "q", "restart"]
                    .iter()
                    .all(|label| metric.place.get(label) == best.place.get(label))
        };
        self.rates("dev").iter().find(same).copied()
    }

    fn best_on_dev(&self, method: &str) -> Option<&'a Metric> {
        let rates = self.rates("dev").into_iter();
        let of = rates.filter(|metric| metric.place.text("method") == method);
        of.max_by(|a, b| a.value.total_cmp(&b.value))
    }

    fn headline(&self) -> String {
        let Some(worst) = self.worst() else { return "Nothing was measured".to_owned() };
        let cap = self.cap().map_or(String::new(), |cap| {
            format!("; sending all to one class would change {}", percent(cap))
        });
        format!(
            "{} on {}: the worst of the triggers found, by {}, changes {} of the answers{cap}",
            self.config.victim.source().name(),
            self.config.task,
            named(worst),
            percent(worst.value)
        )
    }

    fn cap(&self) -> Option<f64> {
        let mut caps = self.results.named("saturation");
        Some(caps.find(|metric| metric.place.text("split") == "dev")?.value)
    }

    /// The order that was seen where the method was planned: UAT and LUAT above random tokens.
    fn findings(&self) -> Vec<Finding> {
        let Some(random) = self.chosen("random") else { return Vec::new() };
        let mut findings = Vec::new();
        for (method, margin) in MARGINS {
            let Some(found) = self.chosen(method) else { continue };
            let gain = found.value - random.value;
            let verdict = match gain >= margin {
                true => Verdict::Holds,
                false if gain > 0.0 => Verdict::Partly,
                false => Verdict::DoesNotHold,
            };
            let mut why = format!(
                "{} fools {}, random tokens {}: {} points",
                named(found),
                percent(found.value),
                percent(random.value),
                finding::change(100.0 * gain, None)
            );
            if let Some(best) = self.best_on_dev(method).filter(|_| is_layerwise(method)) {
                why.push_str(&format!(
                    ". Chosen on dev itself it would be {} with {}, which is what the plan's bound was about",
                    named(best),
                    percent(best.value)
                ));
            }
            why.push('.');
            let claim =
                format!("{method} fools {} points more than random tokens", short(100.0 * margin));
            findings.push(Finding::new(claim, verdict, why));
        }
        findings
    }

    fn confidence(&self) -> Vec<String> {
        let seeds = match self.results.seeds.len() {
            0 | 1 => {
                "One seed: intervals are over the examples that report (bootstrap), and do not \
                      cover how searches differ."
                    .to_owned()
            }
            n => format!(
                "{n} seeds of the search, one victim: intervals are over seeds (Student's t)."
            ),
        };
        vec![
            seeds,
            format!(
                "Every search may spend {} example-forwards. Of the layerwise searches the one \
                 counts that did best on the slice of the search; the others have one search each, \
                 so part of its lead can be selection: triggers/transfer has the matched control.",
                short(self.config.budget)
            ),
            "The victim never saw the slice of the search, the search never saw labels or dev, and \
             dev chose nothing. Near the cap methods cannot be told apart by the rate: look at the \
             area under the curve."
                .to_owned(),
        ]
    }

    fn figures(&self) -> Vec<Figure> {
        let curves = Curves::new(self.results);
        let mut series = Vec::new();
        for (index, q) in curves.distinct("fooling_rate", "q").iter().enumerate() {
            let place = [("split", "dev"), ("method", "luat"), ("q", q.as_str())];
            let curve = curves.over("fooling_rate", "layer", &place);
            series.extend(line(&format!("luat, q = {q}"), index, index, &curve));
        }
        let layers: Vec<f64> = curves
            .distinct("fooling_rate", "layer")
            .iter()
            .filter_map(|layer| layer.parse().ok())
            .collect();
        let ends = [
            layers.iter().copied().fold(f64::INFINITY, f64::min),
            layers.iter().copied().fold(0.0, f64::max),
        ];
        for method in ["uat", "random", "gradient-random", "start"] {
            if let (Some(found), false) = (self.best_on_dev(method), layers.is_empty()) {
                let (value, ci95) = (found.value, found.ci95);
                let flat = ends.map(|x| At { x, value, ci95 });
                let index = series.len();
                series.extend(line(method, index, index, &flat));
            }
        }
        if series.is_empty() {
            return Vec::new();
        }
        vec![Figure {
            name: "layers".to_owned(),
            title: "Fooling rate on dev by layer".to_owned(),
            caption: "One search a layer and q; methods without layers are drawn across. Bands: \
                      95\u{a0}%, over examples with one seed, over seeds with several."
                .to_owned(),
            part: String::new(),
            chart: Chart::Lines {
                x: "layer".to_owned(),
                y: "fooling rate".to_owned(),
                axis: Axis::Whole,
                series,
            },
        }]
    }

    fn summary(&self) -> Table {
        let heads = [
            "method",
            "layer",
            "q",
            "fooling rate, dev",
            "from",
            "to",
            "of the cap",
            "accuracy, dev",
            "fooling rate, search",
            "area under curve",
            "forwards",
        ];
        let mut table = Table::new("searches", "Every search", heads);
        let cap = self.cap();
        for rate in self.rates("dev") {
            let beside = |name: &'a str, split: &str| {
                let fits = |metric: &&Metric| {
                    ["method", "layer", "q", "restart"]
                        .iter()
                        .all(|label| metric.place.get(label) == rate.place.get(label))
                        && metric.place.text("split") == split
                };
                self.results.named(name).find(fits).map(|metric| metric.value)
            };
            let of_cap = cap.filter(|cap| *cap > 0.0).map(|cap| rate.value / cap);
            table.push([
                Cell::from(rate.place.text("method")),
                Cell::from(rate.place.number("layer")),
                Cell::from(rate.place.number("q")),
                Cell::from(rate.value),
                Cell::from(rate.ci95.map(|[low, _]| low)),
                Cell::from(rate.ci95.map(|[_, high]| high)),
                Cell::from(of_cap),
                Cell::from(beside("accuracy", "dev")),
                Cell::from(beside("fooling_rate", "search")),
                Cell::from(beside("area_under_curve", "search")),
                Cell::from(beside("forwards", "search")),
            ]);
        }
        let clean = self.results.named("accuracy").find(|one| one.place.get("method").is_none());
        if let Some(clean) = clean {
            table.push([
                Cell::from("no trigger"),
                Cell::Empty,
                Cell::Empty,
                Cell::from(0.0),
                Cell::Empty,
                Cell::Empty,
                Cell::Empty,
                Cell::from(clean.value),
            ]);
        }
        table
    }
}

/// A search in a sentence.
fn named(metric: &Metric) -> String {
    let method = metric.place.text("method");
    match (metric.place.number("layer"), metric.place.number("q")) {
        (Some(layer), Some(q)) => format!("{method} (layer {layer}, q {q})"),
        _ => method,
    }
}

fn percent(rate: f64) -> String {
    format!("{}\u{a0}%", short(100.0 * rate))
}
