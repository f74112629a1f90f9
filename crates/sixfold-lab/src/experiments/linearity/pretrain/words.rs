//! Figures, tables and words of the trainings, from their records alone.

use super::PretrainConfig;
use crate::experiments::curves::{At, Curves, line};
use crate::experiments::finding::{self, Finding, Verdict};
use crate::experiments::seeds::{BySeed, Mean, Place};
use crate::figure::{Axis, Chart, Figure, Series};
use crate::format::short;
use crate::present::Presentation;
use crate::record::Results;
use crate::table::{Cell, Table};

/// Measures of a block: name, title, how to read it.
const MEASURES: [(&str, &str, &str); 4] = [
    (
        "linearity_without_residual",
        "Linearity without the residual stream",
        "1 − ‖Y − X − XA‖²/‖Y − X‖²: the score that the paper's Figure 4 shows.",
    ),
    (
        "linearity",
        "Linearity of each block",
        "1 − ‖Y − XA‖²/‖Y‖². Both scores share what the map leaves, ‖Y − XA‖².",
    ),
    (
        "norm_ratio",
        "Norm ratio",
        "‖Y − X‖²/‖Y‖²: how much of the stream a block rewrites. 1 − L = (1 − L without) · ratio.",
    ),
    (
        "residual_error",
        "What the affine map leaves",
        "‖Y − XA‖² per token, not normalised: it also moves with the scale of the stream.",
    ),
];

/// All there is to say.
pub(super) fn present(config: &PretrainConfig, results: &Results) -> Presentation {
    let curves = Curves::new(results);
    let numbers = curves.distinct("loss", "lambda").into_iter();
    let mut lambdas: Vec<f64> = numbers.filter_map(|lambda| lambda.parse().ok()).collect();
    lambdas.sort_by(f64::total_cmp);
    let tasks = curves.distinct("majority", "task");
    let filter = config.filters.first().map_or("all", |filter| filter.name());
    let view = View { by_seed: BySeed::new(results), curves, lambdas, tasks, filter, results };
    let findings = view.findings();
    Presentation {
        headline: view.headline(),
        answer: view.answer(&findings),
        confidence: view.confidence(config),
        figures: view.figures(),
        tables: [view.summary(), finding::table(&findings), view.changes()]
            .into_iter()
            .filter(|table| !table.rows.is_empty())
            .collect(),
    }
}

struct View<'a> {
    by_seed: BySeed<'a>,
    curves: Curves<'a>,
    lambdas: Vec<f64>,
    tasks: Vec<String>,
    filter: &'static str,
    results: &'a Results,
}

/// A change with its interval, signed.
fn said(at: &Mean) -> String {
    finding::change(at.value, at.ci95)
}

/// −1 or 1 where the interval lies on one side of zero; 0 where it does not, or there is none.
fn direction(at: &Mean) -> i8 {
    match at.ci95 {
        Some([_, high]) if high < 0.0 => -1,
        Some([low, _]) if low > 0.0 => 1,
        _ => 0,
    }
}

impl View<'_> {
    fn penalties(&self) -> impl Iterator<Item = f64> {
        self.lambdas.iter().copied().filter(|lambda| *lambda > 0.0)
    }

    /// The mean over the layers from `from` on, with a weight of the penalty.
    fn level(&self, name: &str, lambda: f64, place: Place<'_>, from: f64) -> Option<Mean> {
        let lambda = lambda.to_string();
        self.by_seed.level(name, &[&[("lambda", lambda.as_str())], place].concat(), from)
    }

    /// How much more it is than without the penalty. Parameters and batches of a seed are the
    /// same, so that what they have in common cancels.
    fn change(&self, name: &str, lambda: f64, place: Place<'_>, from: f64) -> Option<Mean> {
        let lambda = lambda.to_string();
        let [before, after] = ["0", &lambda].map(|lambda| [&[("lambda", lambda)], place].concat());
        self.by_seed.change(name, [&before, &after], from)
    }

    fn block_change(&self, name: &str, lambda: f64) -> Option<Mean> {
        self.change(name, lambda, &[("filter", self.filter)], 0.0)
    }

    fn loss_change(&self, lambda: f64) -> Option<Mean> {
        self.change("loss", lambda, &[("split", "heldout")], 0.0)
    }

    fn accuracy_change(&self, lambda: f64, task: &str) -> Option<Mean> {
        // Site 0 is the embedding, which no block has touched.
        self.change("accuracy", lambda, &[("task", task)], 1.0)
    }

    /// What is clear either way; the table of claims has all of them.
    fn answer(&self, findings: &[Finding]) -> Vec<String> {
        let clear = findings.iter().filter(|one| one.verdict != Verdict::CannotBeJudged);
        let mut lines: Vec<String> = clear.map(|finding| finding.why.clone()).collect();
        let open = findings.len() - lines.len();
        if open > 0 {
            lines.push(format!("{open} of {} claims cannot be judged.", findings.len()));
        }
        lines
    }

    fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for lambda in self.penalties() {
            if let Some(change) = self.loss_change(lambda) {
                let verdict = match direction(&change) {
                    -1 => Verdict::Holds,
                    1 => Verdict::DoesNotHold,
                    _ => Verdict::CannotBeJudged,
                };
                findings.push(Finding::new(
                    format!("The penalty lowers the loss (λ = {lambda})"),
                    verdict,
                    format!(
                        "With λ = {lambda} the held-out loss changes by {} nats.",
                        said(&change)
                    ),
                ));
            }
            findings.extend(self.of_linearity(lambda));
            for task in &self.tasks {
                let Some(change) = self.accuracy_change(lambda, task) else { continue };
                let verdict = match direction(&change) {
                    1 => Verdict::Holds,
                    -1 => Verdict::DoesNotHold,
                    _ => Verdict::CannotBeJudged,
                };
                findings.push(Finding::new(
                    format!("A linear probe reads more from the model ({task}, λ = {lambda})"),
                    verdict,
                    format!(
                        "With λ = {lambda} the accuracy of the probe on {task}, averaged over \
                         the sites after a block, changes by {}.",
                        said(&change)
                    ),
                ));
            }
        }
        findings
    }

    /// Whether linearity falls, and whether that is more than a smaller denominator.
    fn of_linearity(&self, lambda: f64) -> Option<Finding> {
        let [without, with, ratio] = ["linearity_without_residual", "linearity", "norm_ratio"]
            .map(|name| self.block_change(name, lambda));
        let (without, with, ratio) = (without?, with?, ratio?);
        let why = format!(
            "With λ = {lambda}, averaged over the blocks, L without the residual stream changes by \
             {}, the norm ratio ‖Y − X‖²/‖Y‖² by {}, and L itself by {}",
            said(&without),
            said(&ratio),
            said(&with)
        );
        let (verdict, end) = match (direction(&without), direction(&with)) {
            (-1, -1) => (
                Verdict::Holds,
                "both fall, so that the map also leaves a larger part of the output: less linear, \
                 whichever the denominator",
            ),
            (-1, 1) => (
                Verdict::DoesNotHold,
                "the map leaves a smaller part of the output than before; only the denominator \
                 ‖Y − X‖² shrank faster",
            ),
            (-1, _) => (
                Verdict::Partly,
                "the fall is not seen once what the map leaves is taken relative to the output",
            ),
            (1, _) => (Verdict::DoesNotHold, "the score without the residual stream rises"),
            _ if without.ci95.is_none() => {
                (Verdict::CannotBeJudged, "one seed does not say how much of that is chance")
            }
            _ => (Verdict::CannotBeJudged, "no change of the score beyond the spread over seeds"),
        };
        Some(Finding::new(
            format!("The penalty makes the blocks less linear (λ = {lambda})"),
            verdict,
            format!("{why}: {end}."),
        ))
    }

    fn headline(&self) -> String {
        // The paper's λ, or the largest.
        let lambda = self.penalties().find(|lambda| (lambda - 0.5).abs() < 1e-9);
        let Some(lambda) = lambda.or_else(|| self.penalties().last()) else {
            return "Nothing was measured".to_owned();
        };
        let level = |lambda: f64| {
            self.level("loss", lambda, &[("split", "heldout")], 0.0).map(|at| at.value)
        };
        let score = |name: &str, lambda: f64| {
            let place = [("filter", self.filter)];
            self.level(name, lambda, &place, 0.0).map(|at| short(at.value))
        };
        let name = "linearity_without_residual";
        match (level(0.0), level(lambda), score(name, 0.0), score(name, lambda)) {
            (Some(before), Some(after), Some(from), Some(to)) => format!(
                "With λ = {lambda} the held-out loss is {} against {} nats, and the blocks score \
                 {to} against {from} without the residual stream",
                short(after),
                short(before)
            ),
            _ => "Nothing was measured without the penalty: give lambda a 0".to_owned(),
        }
    }

    fn confidence(&self, config: &PretrainConfig) -> Vec<String> {
        let recipe = &config.recipe;
        let seeds = self.results.seeds.len();
        let mut lines = vec![match seeds {
            0 | 1 => "One seed: changes have no interval, and nothing can be judged.".to_owned(),
            _ => format!(
                "{seeds} seeds. Trainings of one seed start from the same parameters and see the \
                 same batches; changes are taken seed by seed, intervals are Student's t."
            ),
        }];
        lines.push(format!(
            "{} blocks of width {} and {} steps are far from the paper's 150 M and 650 M \
             parameters; the learning rate was not tuned, for any λ.",
            recipe.n_layers, recipe.d_model, recipe.steps
        ));
        if !self.tasks.is_empty() {
            let majorities: Vec<String> = self
                .tasks
                .iter()
                .filter_map(|task| {
                    let value = self.curves.one("majority", &[("task", task)])?;
                    Some(format!("{} on {task}", short(value)))
                })
                .collect();
            lines.push(format!(
                "Probes that ignore the sentence would get {}.",
                majorities.join(", ")
            ));
        }
        lines
    }

    fn figures(&self) -> Vec<Figure> {
        let mut figures = Vec::new();
        let mut push =
            |name: String, title: String, caption: &str, x: &str, y: &str, series: Vec<Series>| {
                if !series.is_empty() {
                    figures.push(Figure {
                        name,
                        title,
                        caption: caption.to_owned(),
                        part: String::new(),
                        chart: Chart::Lines {
                            x: x.to_owned(),
                            y: y.to_owned(),
                            axis: Axis::Whole,
                            series,
                        },
                    });
                }
            };
        for (name, title, caption) in MEASURES {
            let caption = format!("{caption} Bands: 95\u{a0}% over seeds.");
            let series = self.lines(name, &[("filter", self.filter)]);
            let y = name.replace('_', " ");
            push(name.to_owned(), title.to_owned(), &caption, "block", &y, series);
        }
        for task in &self.tasks {
            let mut series = self.lines("accuracy", &[("task", task)]);
            let majority = self.curves.one("majority", &[("task", task)]);
            let sites = self.over_layers("accuracy", self.lambdas[0], &[("task", task)]);
            if let (Some(majority), Some(first), Some(last)) =
                (majority, sites.first(), sites.last())
            {
                let level = [first.x, last.x].map(|x| At { x, value: majority, ci95: None });
                series.extend(line("majority", 7, 1, &level));
            }
            push(
                format!("accuracy_{task}"),
                format!("Accuracy of a linear probe on {task}"),
                "From the mean hidden state of a sentence; site 0 is the embedding. Bands: \
                 95\u{a0}% over seeds.",
                "site",
                "accuracy",
                series,
            );
        }
        figures
    }

    fn over_layers(&self, name: &str, lambda: f64, place: Place<'_>) -> Vec<At> {
        let lambda = lambda.to_string();
        self.curves.over(name, "layer", &[&[("lambda", lambda.as_str())], place].concat())
    }

    fn lines(&self, name: &str, place: &[(&str, &str)]) -> Vec<Series> {
        let lambdas = self.lambdas.iter().enumerate();
        let line = |(index, lambda): (usize, &f64)| {
            let curve = self.over_layers(name, *lambda, place);
            line(&format!("λ = {lambda}"), index, index, &curve)
        };
        lambdas.filter_map(line).collect()
    }

    /// One row per λ: means over blocks and seeds.
    fn summary(&self) -> Table {
        let heads = ["λ", "loss, held out", "loss, train", "penalty"].map(str::to_owned);
        let heads = heads.into_iter().chain(MEASURES.iter().map(|(name, ..)| (*name).to_owned()));
        let heads = heads.chain(self.tasks.iter().map(|task| format!("accuracy, {task}")));
        let mut table = Table::new("summary", "Means over blocks and seeds", heads);
        for &lambda in &self.lambdas {
            let level = |name: &str, place: &[(&str, &str)], from: f64| {
                Cell::from(self.level(name, lambda, place, from).map(|at| at.value))
            };
            let mut row = vec![
                Cell::from(lambda),
                level("loss", &[("split", "heldout")], 0.0),
                level("loss", &[("split", "train")], 0.0),
                level("penalty", &[], 0.0),
            ];
            row.extend(
                MEASURES.iter().map(|(name, ..)| level(name, &[("filter", self.filter)], 0.0)),
            );
            row.extend(self.tasks.iter().map(|task| level("accuracy", &[("task", task)], 1.0)));
            table.push(row);
        }
        table
    }

    /// One row per λ and measure: the change against λ = 0 and its interval.
    fn changes(&self) -> Table {
        let heads = ["measure", "λ", "change", "95 % from", "to"];
        let mut table = Table::new("changes", "Changes against λ = 0, seed by seed", heads);
        for lambda in self.penalties() {
            let mut rows = vec![("loss, held out".to_owned(), self.loss_change(lambda))];
            rows.extend(
                MEASURES
                    .iter()
                    .map(|(name, ..)| ((*name).to_owned(), self.block_change(name, lambda))),
            );
            rows.extend(
                self.tasks
                    .iter()
                    .map(|task| (format!("accuracy, {task}"), self.accuracy_change(lambda, task))),
            );
            for (name, change) in rows {
                let Some(Mean { value, ci95 }) = change else { continue };
                let [low, high] = [0, 1].map(|end| Cell::from(ci95.map(|ends| ends[end])));
                let head = [Cell::from(name), Cell::from(lambda), Cell::from(value)];
                table.push(head.into_iter().chain([low, high]));
            }
        }
        table
    }
}
