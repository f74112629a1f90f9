//! Words, a figure and tables of the variants, from the records alone.

use super::super::words::View;
use super::AblationConfig;
use super::variants::{Variant, policy_name, variants};
use crate::experiments::finding::{self, Finding, Verdict};
use crate::figure::{Axis, Chart, Figure};
use crate::format::short;
use crate::present::Presentation;
use crate::record::Results;
use crate::table::{Cell, Table};

/// All there is to say.
pub(super) fn present(config: &AblationConfig, results: &Results) -> Presentation {
    let words = Words { view: View::new(results), all: variants(config), config };
    let findings: Vec<Finding> =
        [words.knee(), words.orientation()].into_iter().flatten().collect();
    Presentation {
        headline: words.headline(),
        answer: findings.iter().map(|finding| finding.why.clone()).collect(),
        confidence: words.confidence(),
        figures: words.figures(),
        tables: [words.table(), finding::table(&findings)]
            .into_iter()
            .filter(|table| !table.rows.is_empty())
            .collect(),
    }
}

struct Words<'a> {
    view: View<'a>,
    all: Vec<Variant>,
    config: &'a AblationConfig,
}

/// The labels of a variant.
fn labels(variant: &Variant) -> [(&'static str, String); 3] {
    [
        ("fraction", variant.fraction.to_string()),
        ("basis", variant.basis.name().to_owned()),
        ("policy", policy_name(variant.policy)),
    ]
}

impl Words<'_> {
    fn value(&self, name: &str, variant: &Variant) -> Option<f64> {
        let labels = labels(variant);
        let place: Vec<(&str, &str)> =
            labels.iter().map(|(label, value)| (*label, value.as_str())).collect();
        self.view.value(name, &place)
    }

    /// Variants that differ in the fraction alone, smallest first.
    fn fractions(&self) -> Vec<Variant> {
        let fits = |one: &&Variant| self.config.fractions.contains(&one.fraction);
        let base = Variant { fraction: self.config.fraction, ..self.all[0] };
        let alike = |one: &&Variant| one.basis == base.basis && one.policy == base.policy;
        let mut found: Vec<Variant> = self.all.iter().filter(fits).filter(alike).copied().collect();
        found.sort_by(|a, b| a.fraction.total_cmp(&b.fraction));
        found
    }

    /// The paper: below 1 % the score falls, and from there on it does not matter.
    fn knee(&self) -> Option<Finding> {
        let fractions = self.fractions();
        let all = fractions.last().filter(|one| one.fraction >= 1.0)?;
        let few = fractions.iter().find(|one| one.fraction >= 0.01 - 1e-9 && one.fraction < 1.0)?;
        let [a, b] = [few, all].map(labels);
        let [a, b] = [&a, &b].map(|labels| {
            let place = labels.iter().map(|(label, value)| (*label, value.as_str()));
            place.collect::<Vec<_>>()
        });
        let change = self.view.difference("score", &a, &b)?;
        let verdict = match change.ci95 {
            Some([_, high]) if high < 0.0 => Verdict::DoesNotHold,
            Some([low, _]) if low > -1.0 => Verdict::Holds,
            _ => Verdict::CannotBeJudged,
        };
        let why = format!(
            "With {} % of the entries the score changes by {} points against all of them, by one optimiser in one basis.",
            short(100.0 * few.fraction),
            finding::change(change.value, change.ci95)
        );
        Some(Finding::new(
            "1 % of the entries is as good as all of them, within a point",
            verdict,
            why,
        ))
    }

    /// What the transposed basis leaves out.
    fn orientation(&self) -> Option<Finding> {
        use super::super::methods::BasisName::{Identity, ReferenceTransposed, Shared};
        let energy = |basis| {
            let found = self.all.iter().find(|one| {
                one.basis == basis
                    && (one.fraction - self.config.fraction).abs() < 1e-12
                    && one.policy == self.all[0].policy
            })?;
            self.value("energy", found)
        };
        let (right, transposed, identity) =
            (energy(Shared)?, energy(ReferenceTransposed)?, energy(Identity)?);
        let holds = right > transposed && right > identity;
        let verdict = if holds { Verdict::Holds } else { Verdict::DoesNotHold };
        let why = format!(
            "On held-out batches, {} % of the entries hold {} of the squared gradient in the shared basis, {} where its side of \
             the inputs is transposed as in the authors' program, and {} in the features themselves.",
            short(100.0 * self.config.fraction),
            short(right),
            short(transposed),
            short(identity)
        );
        Some(Finding::new(
            "The basis makes gradients sparse, if it is not transposed",
            verdict,
            why,
        ))
    }

    fn headline(&self) -> String {
        let fractions = self.fractions();
        let parts: Vec<String> = fractions
            .iter()
            .filter_map(|one| {
                let score = self.value("score", one)?;
                Some(format!("{} % {}", short(100.0 * one.fraction), short(score)))
            })
            .collect();
        match parts.is_empty() {
            true => "No fraction was measured".to_owned(),
            false => format!("{} by the fraction trained: {}", self.config.task, parts.join(", ")),
        }
    }

    fn confidence(&self) -> Vec<String> {
        let recipe = &self.config.recipe;
        let seeds = match self.view.results.seeds.len() {
            0 | 1 => "One seed: differences have no interval.".to_owned(),
            n => format!("{n} seeds; intervals are Student's t over them, differences paired."),
        };
        vec![
            seeds,
            format!(
                "{}; then {} steps of {}{}. Cores are as large as the matrices, in place, so that nothing but the fraction, the \
                 basis or the choice is varied; a basis of singular vectors has only as many as the smaller side. Energy is \
                 taken before the training, on {} held-out batches, the mean over matrices; for entries chosen at each step \
                 it is that of the largest.",
                recipe.choice(),
                recipe.steps,
                recipe.batch_size,
                recipe.subset(),
                super::energy::BATCHES
            ),
            "The paper's 100 % rows (Tables 11 and 12) repeat its 1.2 % runs; here all entries are trained.".to_owned(),
        ]
    }

    fn figures(&self) -> Vec<Figure> {
        let mut figures = Vec::new();
        for (name, title) in [("score", "Score (%)"), ("train_loss", "Train loss")] {
            let place = [("basis", "shared"), ("policy", "top-k")];
            let curve = self.view.curves.over(name, "fraction", &place);
            let series = crate::experiments::curves::line("shared, top-k", 0, 0, &curve);
            figures.extend(series.filter(|_| curve.len() > 1).map(|series| Figure {
                name: name.to_owned(),
                title: format!("{title} by the fraction of entries trained"),
                caption: "Bands: 95\u{a0}% over seeds.".to_owned(),
                part: String::new(),
                chart: Chart::Lines {
                    x: "fraction".to_owned(),
                    y: name.replace('_', " "),
                    axis: Axis::Log,
                    series: vec![series],
                },
            }));
        }
        figures
    }

    fn table(&self) -> Table {
        let heads = ["fraction", "basis", "policy", "score (%)", "±", "train loss", "±", "energy"];
        let more = ["learning rate", "ms a step (wall)"];
        let title = "One thing varied at a time";
        let mut table = Table::new("variants", title, heads.into_iter().chain(more));
        for variant in &self.all {
            let labels = labels(variant);
            let place: Vec<(&str, &str)> =
                labels.iter().map(|(label, value)| (*label, value.as_str())).collect();
            let Some(score) = self.view.get("score", &place) else { continue };
            let loss = self.view.get("train_loss", &place);
            table.push([
                Cell::from(variant.fraction),
                Cell::from(variant.basis.name()),
                Cell::from(policy_name(variant.policy)),
                Cell::from(score.value),
                Cell::from(score.std),
                Cell::from(loss.map(|one| one.value)),
                Cell::from(loss.and_then(|one| one.std)),
                Cell::from(self.value("energy", variant)),
                Cell::from(self.value("learning_rate", variant)),
                Cell::from(self.value("step_ms", variant)),
            ]);
        }
        table
    }
}
