//! Figures, tables and words of defences, from their records alone.

use super::DefendConfig;
use crate::experiments::finding::{self, Finding, Verdict};
use crate::format::short;
use crate::present::Presentation;
use crate::record::{Metric, Results};
use crate::table::{Cell, Table};

/// All there is to say.
pub(super) fn present(config: &DefendConfig, results: &Results) -> Presentation {
    let view = View { results };
    let findings: Vec<Finding> =
        [view.detection(), view.vote(), view.certificate(), view.retraining()]
            .into_iter()
            .flatten()
            .collect();
    Presentation {
        headline: view.headline(),
        answer: findings.iter().map(|finding| finding.why.clone()).collect(),
        confidence: view.confidence(config),
        figures: Vec::new(),
        tables: [view.defences(), finding::table(&findings), view.detectors(), view.certified()]
            .into_iter()
            .filter(|table| !table.rows.is_empty())
            .collect(),
    }
}

struct View<'a> {
    results: &'a Results,
}

impl<'a> View<'a> {
    /// Records of a defence; `search` is empty where the label is absent.
    fn of(&self, name: &'a str, defence: &str, search: &str) -> Vec<&'a Metric> {
        let named = self.results.named(name);
        named
            .filter(|metric| {
                metric.place.text("defence") == defence && metric.place.text("search") == search
            })
            .collect()
    }

    /// The one over all triggers.
    fn mean(&self, name: &'a str, defence: &str, search: &str) -> Option<f64> {
        let found = self.of(name, defence, search);
        found.iter().find(|metric| metric.place.get("trigger").is_none()).map(|metric| metric.value)
    }

    fn each(&self, name: &'a str, defence: &str) -> Vec<f64> {
        let found = self.of(name, defence, "").into_iter();
        found.filter(|one| one.place.get("trigger").is_some()).map(|one| one.value).collect()
    }

    fn headline(&self) -> String {
        let of = |defence: &str, search: &str| self.mean("fooling_rate", defence, search);
        let Some(before) = of("none", "") else { return "Nothing was measured".to_owned() };
        let mut said = vec![format!("Triggers change {} of the answers", percent(before))];
        if let Some(rate) = of("erase-vote", "") {
            said.push(format!("{} under a vote over deletions", percent(rate)));
        }
        if let Some(rate) = of("retrain", "fresh") {
            said.push(format!("{} when searched anew after retraining", percent(rate)));
        }
        said.join(", ")
    }

    fn detection(&self) -> Option<Finding> {
        let (auroc, tpr) =
            (self.each("auroc", "leading-window"), self.each("tpr_at_5fpr", "leading-window"));
        let least = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
        let mean = self.mean("tpr_at_5fpr", "leading-window", "")?;
        let holds = least(&auroc) >= 0.97 && least(&tpr) >= 0.8 && mean >= 0.95;
        let verdict = match holds {
            true => Verdict::Holds,
            false if least(&auroc) >= 0.9 => Verdict::Partly,
            false => Verdict::DoesNotHold,
        };
        let whole = self.mean("auroc", "perplexity", "").map_or(String::new(), |value| {
            format!("; the perplexity of whole texts has a mean area of {}", short(value))
        });
        let why = format!(
            "The surprisal of the leading tokens has an area under the curve of {} or more, and finds \
             {} or more of the attacked texts where 5\u{a0}% of the clean ones are flagged, {} on \
             average{whole}.",
            short(least(&auroc)),
            percent(least(&tpr)),
            percent(mean)
        );
        let claim = "Leading surprisal: AUROC ≥ 0.97 and TPR ≥ 0.8 at 5 % for every trigger, TPR ≥ 0.95 on average";
        Some(Finding::new(claim, verdict, why))
    }

    fn vote(&self) -> Option<Finding> {
        let after = self.mean("fooling_rate", "erase-vote", "")?;
        let before = self.mean("fooling_rate", "none", "")?;
        let [clean, voted] = ["none", "erase-vote"].map(|one| self.mean("accuracy", one, ""));
        let loss = clean? - voted?;
        let worst = self.each("fooling_rate", "erase-vote").into_iter().fold(0.0, f64::max);
        let verdict = match (worst <= 0.1, loss <= 0.03) {
            (true, true) => Verdict::Holds,
            (false, false) => Verdict::DoesNotHold,
            _ => Verdict::Partly,
        };
        let why = format!(
            "A vote over deletions lowers the mean fooling rate from {} to {} (at most {}); accuracy \
             changes by {} points.",
            percent(before),
            percent(after),
            percent(worst),
            finding::change(-100.0 * loss, None)
        );
        let claim = "The vote: fooling rate ≤ 0.10 with at most 3 points of accuracy lost";
        Some(Finding::new(claim, verdict, why))
    }

    fn certificate(&self) -> Option<Finding> {
        let shares = self.of("certified", "erase-vote", "");
        let said: Vec<String> = shares
            .iter()
            .map(|one| format!("{} for {}", percent(one.value), one.place.text("length")))
            .collect();
        (!said.is_empty()).then(|| {
            let why = format!(
                "Answers that no inserted prefix of so many tokens can change: {}. A test of the crate \
                 tries every prefix over a small vocabulary.",
                said.join(", ")
            );
            let certain = shares.iter().all(|one| one.value > 0.0);
            let verdict = if certain { Verdict::Holds } else { Verdict::Partly };
            Finding::new("The vote certifies answers", verdict, why)
        })
    }

    fn retraining(&self) -> Option<Finding> {
        let fresh = self.mean("fooling_rate", "retrain", "fresh")?;
        let before = self.mean("fooling_rate", "none", "")?;
        let [clean, retrained] = ["none", "retrain"].map(|one| self.mean("accuracy", one, ""));
        let loss = clean? - retrained?;
        let verdict = match (fresh <= before / 2.0, loss <= 0.01) {
            (true, true) => Verdict::Holds,
            (false, false) => Verdict::DoesNotHold,
            _ => Verdict::Partly,
        };
        let old = self.mean("fooling_rate", "retrain", "old").map_or(String::new(), |rate| {
            format!(" (the triggers that it learned from: {})", percent(rate))
        });
        let why = format!(
            "After training with triggers in the examples, triggers searched anew change {} of the \
             answers, {} before{old}; accuracy changes by {} points.",
            percent(fresh),
            percent(before),
            finding::change(-100.0 * loss, None)
        );
        let claim = "Retraining halves the fooling rate of fresh triggers with at most 1 point of accuracy lost";
        Some(Finding::new(claim, verdict, why))
    }

    fn confidence(&self, config: &DefendConfig) -> Vec<String> {
        let seeds = match self.results.seeds.len() {
            0 | 1 => {
                "One seed: intervals are over the examples that report (bootstrap).".to_owned()
            }
            n => format!("{n} seeds of the search: intervals are over seeds (Student's t)."),
        };
        let texts = match config.language_model {
            super::LanguageTexts::Search => "part of the slice of the search",
            super::LanguageTexts::Train => "the texts that the victim learned from",
        };
        vec![
            seeds,
            format!(
                "The language model of the detectors learns from {texts}, without classes; detectors \
                 never see a trigger. Whoever knows a detector can search around it: none of this \
                 was tested."
            ),
        ]
    }

    fn defences(&self) -> Table {
        let heads = ["defence", "triggers", "mean fooling rate", "accuracy without a trigger"];
        let mut table = Table::new("defences", "Fooling rate and accuracy", heads);
        for (defence, search, said) in [
            ("none", "", "found"),
            ("erase-vote", "", "found"),
            ("retrain", "old", "found before"),
            ("retrain", "fresh", "searched anew"),
        ] {
            if let Some(rate) = self.mean("fooling_rate", defence, search) {
                table.push([
                    Cell::from(defence),
                    Cell::from(said),
                    Cell::from(rate),
                    Cell::from(self.mean("accuracy", defence, "")),
                ]);
            }
        }
        table
    }

    fn detectors(&self) -> Table {
        let heads = ["detector", "trigger", "setting", "AUROC", "from", "to", "TPR at 5 % FPR"];
        let mut table = Table::new("detectors", "Detectors of attacked texts", heads);
        for auroc in self.results.named("auroc") {
            let tpr = self.results.named("tpr_at_5fpr").find(|tpr| tpr.place == auroc.place);
            let trigger = auroc.place.text("trigger");
            table.push([
                Cell::from(auroc.place.text("defence")),
                Cell::from(if trigger.is_empty() { "mean".to_owned() } else { trigger }),
                Cell::from(auroc.place.text("setting")),
                Cell::from(auroc.value),
                Cell::from(auroc.ci95.map(|[low, _]| low)),
                Cell::from(auroc.ci95.map(|[_, high]| high)),
                Cell::from(tpr.map(|tpr| tpr.value)),
            ]);
        }
        table
    }

    fn certified(&self) -> Table {
        let heads = ["tokens of a prefix", "certified", "certified and right"];
        let mut table = Table::new("certified", "Answers that no prefix can change", heads);
        for one in self.of("certified", "erase-vote", "") {
            let right = self.of("certified_accuracy", "erase-vote", "");
            let right = right.iter().find(|other| other.place == one.place);
            table.push([
                Cell::from(one.place.number("length")),
                Cell::from(one.value),
                Cell::from(right.map(|right| right.value)),
            ]);
        }
        table
    }
}

fn percent(rate: f64) -> String {
    format!("{}\u{a0}%", short(100.0 * rate))
}
