//! Figures, tables and words of transfers, from their records alone.

use super::TransferConfig;
use crate::experiments::finding::{self, Finding, Verdict};
use crate::format::short;
use crate::present::Presentation;
use crate::published::published;
use crate::record::{Metric, Results};
use crate::table::{Cell, Table};

/// Points by which the layerwise method, chosen by the target, is expected to lie above others.
const MARGINS: [(&str, f64); 2] = [("uat", 0.02), ("random", 0.08)];

/// All there is to say.
pub(super) fn present(config: &TransferConfig, results: &Results) -> Presentation {
    let view = View { results };
    let findings = view.findings();
    Presentation {
        headline: view.headline(),
        answer: findings.iter().map(|finding| finding.why.clone()).collect(),
        confidence: view.confidence(config),
        figures: Vec::new(),
        tables: [
            view.gains(),
            finding::table(&findings),
            view.matrix("models"),
            view.matrix("tasks"),
        ]
        .into_iter()
        .filter(|table| !table.rows.is_empty())
        .collect(),
    }
}

struct View<'a> {
    results: &'a Results,
}

impl<'a> View<'a> {
    fn gain(&self, across: &str, against: &str, selection: &str) -> Option<&'a Metric> {
        self.results.named("gain").find(|metric| {
            let of = |label: &str| metric.place.text(label);
            of("across") == across && of("against") == against && of("selection") == selection
        })
    }

    /// The gain that the paper reports with the one in which both choose alike: neither without the other.
    fn both(&self, across: &str, against: &str) -> Option<[&'a Metric; 2]> {
        let paper = self.gain(across, against, "paper")?;
        Some([paper, self.gain(across, against, "matched")?])
    }

    fn headline(&self) -> String {
        let said = ["models", "tasks"].iter().filter_map(|across| {
            let [paper, matched] = self.both(across, "uat")?;
            let published = paper_gain(across).map_or(String::new(), |value| {
                format!(" (the paper, on other models: {})", points(value, None))
            });
            Some(format!(
                "between {across} LUAT chosen among many gains {} over one UAT{published}, and {} \
                 where UAT is chosen among as many",
                points(paper.value, None),
                points(matched.value, None)
            ))
        });
        let said: Vec<String> = said.collect();
        match said.is_empty() {
            true => "No gain without its matched control: nothing to report".to_owned(),
            false => capital(&said.join("; ")),
        }
    }

    fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for across in ["models", "tasks"] {
            for (against, margin) in MARGINS {
                let Some([paper, matched]) = self.both(across, against) else { continue };
                let verdict = match (paper.value >= margin, paper.ci95) {
                    (true, Some([low, _])) if low > 0.0 => Verdict::Holds,
                    (true, _) => Verdict::Partly,
                    (false, _) => Verdict::DoesNotHold,
                };
                let why = format!(
                    "Between {across}, LUAT of a chosen layer and q less one {against}: {}; less the \
                     {against} chosen among as many: {}.",
                    points(paper.value, paper.ci95),
                    points(matched.value, matched.ci95)
                );
                let claim = format!(
                    "Between {across}, chosen LUAT gains {} points over one {against}",
                    short(100.0 * margin)
                );
                findings.push(Finding::new(claim, verdict, why));
            }
        }
        findings
    }

    fn confidence(&self, config: &TransferConfig) -> Vec<String> {
        let seeds = match self.results.seeds.len() {
            0 | 1 => "One seed: intervals are over the examples that score, the same for both \
                      methods (bootstrap)."
                .to_owned(),
            n => format!("{n} seeds: intervals are over seeds (Student's t)."),
        };
        vec![
            seeds,
            format!(
                "A layer and q are chosen on {} unlabelled examples: of the target between models, \
                 where the others score; of the similar task between tasks. The matched line lets the \
                 other method choose among as many searches on the same examples: what it loses of the \
                 gain is selection.",
                config.select
            ),
            "A trigger is carried as text: decoded by the source's tokenizer, encoded by the \
             target's, so its length can differ. The released code has no such step. Of the paper \
             only the two average gains of its abstract could be verified."
                .to_owned(),
        ]
    }

    /// Every gain.
    fn gains(&self) -> Table {
        let heads = ["between", "against", "selection", "gain (points)", "from", "to", "published"];
        let mut table = Table::new("gains", "LUAT less another method", heads);
        for metric in self.results.named("gain") {
            let of = |label: &str| metric.place.text(label);
            let paper = of("against") == "uat" && of("selection") == "paper";
            let published = paper.then(|| paper_gain(&of("across"))).flatten();
            table.push([
                Cell::from(of("across")),
                Cell::from(of("against")),
                Cell::from(of("selection")),
                Cell::from(100.0 * metric.value),
                Cell::from(metric.ci95.map(|[low, _]| 100.0 * low)),
                Cell::from(metric.ci95.map(|[_, high]| 100.0 * high)),
                Cell::from(published.map(|value| 100.0 * value)),
            ]);
        }
        table
    }

    /// Fooling rates of pairs, where both methods choose alike.
    fn matrix(&self, across: &str) -> Table {
        let [from, to, title] = match across {
            "models" => ["source", "target", "Fooling rates from model to model"],
            _ => ["task", "target_task", "Fooling rates from task to task"],
        };
        let heads = ["from", "to", "method", "single", "matched"];
        let mut table = Table::new(&format!("matrix_{across}"), title, heads);
        let rates: Vec<&Metric> = self
            .results
            .named("fooling_rate")
            .filter(|metric| metric.place.get(to).is_some() && metric.place.get(from).is_some())
            .collect();
        let same = |a: &Metric, b: &Metric| {
            [from, to, "method"].iter().all(|label| a.place.get(label) == b.place.get(label))
        };
        for matched in rates.iter().filter(|one| one.place.text("selection") == "matched") {
            let single = rates
                .iter()
                .find(|one| one.place.text("selection") == "single" && same(one, matched));
            table.push([
                Cell::from(matched.place.text(from)),
                Cell::from(matched.place.text(to)),
                Cell::from(matched.place.text("method")),
                Cell::from(single.map(|one| one.value)),
                Cell::from(matched.value),
            ]);
        }
        table
    }
}

/// The gain that the paper's abstract gives.
fn paper_gain(across: &str) -> Option<f64> {
    let numbers = published("triggers/transfer").ok()?;
    let fits = |one: &&crate::published::Published| {
        one.place.get("across").is_some_and(|label| label.to_string() == across)
    };
    numbers.iter().find(fits).map(|one| one.value)
}

fn points(value: f64, ci95: Option<[f64; 2]>) -> String {
    let scaled = ci95.map(|ends| ends.map(|end| 100.0 * end));
    format!("{} points", finding::change(100.0 * value, scaled))
}

fn capital(text: &str) -> String {
    let mut signs = text.chars();
    signs.next().map_or(String::new(), |first| first.to_uppercase().chain(signs).collect())
}
