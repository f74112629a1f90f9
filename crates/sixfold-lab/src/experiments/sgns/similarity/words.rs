//! Figures, tables and words of the comparison, from its records alone.

use super::super::evaluation::set_name;
use super::SimilarityConfig;
use crate::experiments::curves::Curves;
use crate::experiments::finding::{self, Finding, Verdict, change};
use crate::figure::{BarSeries, Chart, Figure};
use crate::format::short;
use crate::present::Presentation;
use crate::published::published;
use crate::record::{Metric, Results};
use crate::table::{Cell, Table};

/// Scores, and how the gains of each are called.
const SCORES: [(&str, &str); 2] = [("similarity", "similarity_gain"), ("analogy", "analogy_gain")];

/// All there is to say.
pub(super) fn present(config: &SimilarityConfig, results: &Results) -> Presentation {
    let curves = Curves::new(results);
    let view = View {
        config,
        results,
        curves,
        dims: curves.distinct("similarity", "dim"),
        methods: curves.distinct("similarity", "method"),
    };
    let findings = view.findings();
    Presentation {
        headline: view.headline(),
        answer: findings.iter().map(|finding| finding.why.clone()).collect(),
        confidence: view.confidence(),
        figures: view.figures(),
        tables: [
            view.overview(),
            finding::table(&findings),
            view.scores(),
            view.gains(),
            view.costs(),
        ]
        .into_iter()
        .filter(|table| !table.rows.is_empty())
        .collect(),
    }
}

struct View<'a> {
    config: &'a SimilarityConfig,
    results: &'a Results,
    curves: Curves<'a>,
    dims: Vec<String>,
    methods: Vec<String>,
}

impl View<'_> {
    fn metric(&self, name: &str, method: &str, dim: &str, set: &str) -> Option<&Metric> {
        self.results.summary().find(|metric| {
            let of = |label: &str| metric.place.text(label);
            metric.name == name && of("method") == method && of("dim") == dim && of("set") == set
        })
    }

    /// Scores and their sets, in the order of the records.
    fn sets(&self) -> Vec<(&'static str, String)> {
        let of = |(name, _)| self.curves.distinct(name, "set").into_iter().map(move |s| (name, s));
        SCORES.into_iter().flat_map(of).collect()
    }

    /// The paper's number.
    fn published(&self, method: &str, dim: &str, set: &str) -> Option<f64> {
        let numbers = published("sgns/similarity").unwrap_or_default();
        let found = numbers.iter().find(|one| {
            [("method", method), ("dim", dim), ("set", set)].iter().all(|(label, value)| {
                one.place.get(*label).is_some_and(|label| label.to_string() == *value)
            })
        });
        found.map(|one| one.value)
    }

    /// The gains over a method: all of a kind.
    fn gains_over(&self, name: &str, other: &str) -> Vec<&Metric> {
        let of = |metric: &&Metric| metric.name == name && metric.place.text("over") == other;
        self.results.summary().filter(of).collect()
    }

    fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (name, what, whose) in [
            ("similarity_gain", "word similarity", "(the paper's Table 2)"),
            ("analogy_gain", "analogies", "(not in the paper)"),
        ] {
            for other in self.methods.iter().filter(|method| *method != "riemannian") {
                let gains = self.gains_over(name, other);
                let judged = |holds: fn([f64; 2]) -> bool| {
                    let holds = |metric: &&&Metric| metric.ci95.is_some_and(holds);
                    gains.iter().filter(holds).copied().collect::<Vec<_>>()
                };
                let (above, below) = (judged(|[low, _]| low > 0.0), judged(|[_, high]| high < 0.0));
                if gains.is_empty() {
                    continue;
                }
                let verdict = match (above.len(), below.len()) {
                    (0, 0) => Verdict::CannotBeJudged,
                    (n, 0) if n == gains.len() => Verdict::Holds,
                    (0, _) => Verdict::DoesNotHold,
                    _ => Verdict::Partly,
                };
                let listed = |gains: &[&Metric]| {
                    let one = |metric: &&Metric| {
                        let set = metric.place.text("set");
                        let (set, dim) = (set_name(&set).to_owned(), metric.place.text("dim"));
                        format!("{set} at d = {dim} {}", change(metric.value, None))
                    };
                    gains.iter().map(one).collect::<Vec<_>>().join(", ")
                };
                let mut why = format!(
                    "On {what} the Riemannian method is above {other} beyond the interval in {} of {} \
                     comparisons",
                    above.len(),
                    gains.len()
                );
                if !above.is_empty() {
                    why.push_str(&format!(" ({})", listed(&above)));
                }
                why.push_str(&match below.is_empty() {
                    true => " and below it in none.".to_owned(),
                    false => format!(" and below it in {} ({}).", below.len(), listed(&below)),
                });
                let claim = format!("Riemannian is above {other} on {what} {whose}");
                findings.push(Finding::new(claim, verdict, why));
            }
        }
        findings
    }

    fn headline(&self) -> String {
        let Some(dim) = self.dims.first() else { return "Nothing was measured".to_owned() };
        let Some((name, set)) = self
            .sets()
            .into_iter()
            .find(|(_, set)| set == "EN-MEN-TR-3k")
            .or_else(|| self.sets().into_iter().next())
        else {
            return "Nothing was measured".to_owned();
        };
        let scores: Vec<String> = self
            .methods
            .iter()
            .filter_map(|method| {
                let metric = self.metric(name, method, dim, &set)?;
                Some(format!("{method} {}", short(metric.value)))
            })
            .collect();
        format!("{} at d = {dim}: {}", set_name(&set), scores.join(", "))
    }

    fn confidence(&self) -> Vec<String> {
        let seeds = self.results.seeds.len();
        let mut lines = vec![match seeds {
            0 | 1 => {
                "Intervals are 95 % by the bootstrap over questions, those of differences paired; \
                      one seed: how much a method varies by its draws is not in them."
                    .to_owned()
            }
            _ => format!("Intervals are 95 % over {seeds} seeds."),
        }];
        lines.push(format!(
            "The paper's corpus is enwik9 with 24,292 words, window 2 and no sub-sampling; this one is {} \
             with other options (see the configuration), so its numbers stand beside ours for their \
             order and not for their size. The paper gives no intervals.",
            self.config.corpus.name()
        ));
        lines
    }

    fn figures(&self) -> Vec<Figure> {
        let of = |dim: &String| {
            let sets = self.sets();
            let series: Vec<BarSeries> = self
                .methods
                .iter()
                .map(|method| BarSeries {
                    label: method.clone(),
                    values: sets
                        .iter()
                        .map(|(name, set)| {
                            let metric = self.metric(name, method, dim, set)?;
                            Some((metric.value, metric.ci95))
                        })
                        .collect(),
                })
                .collect();
            Figure {
                name: format!("scores_{dim}"),
                title: format!("Scores at d = {dim}"),
                caption: "Spearman's correlation of lists of pairs, share of right answers of \
                          analogies; 95\u{a0}% intervals."
                    .to_owned(),
                part: String::new(),
                chart: Chart::Bars {
                    y: "score".to_owned(),
                    groups: sets.iter().map(|(_, set)| set_name(set).to_owned()).collect(),
                    series,
                },
            }
        };
        self.dims.iter().map(of).collect()
    }

    /// Rows as in the paper: a length and a method each.
    fn overview(&self) -> Table {
        let sets = self.sets();
        let heads = ["d", "method"].map(str::to_owned).into_iter();
        let heads = heads.chain(sets.iter().map(|(_, set)| set_name(set).to_owned()));
        let mut table = Table::new("overview", "Scores by length and method", heads);
        for dim in &self.dims {
            for method in &self.methods {
                let scores = sets.iter().map(|(name, set)| {
                    Cell::from(self.metric(name, method, dim, set).map(|metric| metric.value))
                });
                let start =
                    [Cell::from(dim.parse().unwrap_or(f64::NAN)), Cell::from(method.as_str())];
                table.push(start.into_iter().chain(scores));
            }
        }
        table
    }

    fn scores(&self) -> Table {
        let heads = [
            "d",
            "set",
            "method",
            "score",
            "low",
            "high",
            "questions asked",
            "coverage",
            "published",
            "difference",
        ];
        let title = "Scores with 95 % intervals and coverage, beside the paper's Table 2 (enwik9)";
        let mut table = Table::new("scores", title, heads);
        for dim in &self.dims {
            for (name, set) in self.sets() {
                for method in &self.methods {
                    let Some(metric) = self.metric(name, method, dim, &set) else { continue };
                    let of = |name: &str| {
                        self.metric(name, method, dim, &set).map(|metric| metric.value)
                    };
                    let published = self.published(method, dim, &set);
                    table.push([
                        Cell::from(dim.parse().unwrap_or(f64::NAN)),
                        Cell::from(set_name(&set)),
                        Cell::from(method.as_str()),
                        Cell::from(metric.value),
                        Cell::from(metric.ci95.map(|ends| ends[0])),
                        Cell::from(metric.ci95.map(|ends| ends[1])),
                        Cell::from(of("pairs")),
                        Cell::from(of("coverage")),
                        Cell::from(published),
                        Cell::from(published.map(|published| metric.value - published)),
                    ]);
                }
            }
        }
        table
    }

    fn gains(&self) -> Table {
        let heads =
            ["d", "set", "riemannian over", "difference", "low", "high", "beyond the interval"];
        let title = "Paired differences with 95 % intervals";
        let mut table = Table::new("differences", title, heads);
        for name in SCORES.map(|(_, gain)| gain) {
            for metric in self.results.named(name) {
                let verdict = match metric.ci95 {
                    Some([low, _]) if low > 0.0 => "above",
                    Some([_, high]) if high < 0.0 => "below",
                    _ => "no",
                };
                let set = metric.place.text("set");
                table.push([
                    Cell::from(metric.place.number("dim")),
                    Cell::from(set_name(&set)),
                    Cell::from(metric.place.text("over")),
                    Cell::from(metric.value),
                    Cell::from(metric.ci95.map(|ends| ends[0])),
                    Cell::from(metric.ci95.map(|ends| ends[1])),
                    Cell::from(verdict),
                ]);
            }
        }
        table
    }

    fn costs(&self) -> Table {
        let heads =
            ["d", "method", "seconds", "clock", "objective", "share of the way to the bound"];
        let title = "Time after counting, and the objective at the end";
        let mut table = Table::new("costs", title, heads);
        for metric in self.results.named("cpu_seconds") {
            let (method, dim) = (metric.place.text("method"), metric.place.text("dim"));
            let of = |name: &str| self.curves.one(name, &[("method", &method), ("dim", &dim)]);
            table.push([
                Cell::from(metric.place.number("dim")),
                Cell::from(method.as_str()),
                Cell::from(metric.value),
                Cell::from(metric.unit.trim_start_matches("s ").trim_matches(['(', ')'])),
                Cell::from(of("objective")),
                Cell::from(of("gap_ratio")),
            ]);
        }
        table
    }
}
