//! Words and tables of the comparison, from the records alone.

use super::super::words::{BYTES, COSTS, View};
use super::GlueConfig;
use crate::experiments::finding::{self, Finding, Verdict};
use crate::experiments::seeds::Mean;
use crate::format::short;
use crate::present::Presentation;
use crate::record::Results;

const OURS: &str = "sparsegrad";

/// All there is to say.
pub(super) fn present(config: &GlueConfig, results: &Results) -> Presentation {
    let view = View::new(results);
    let tasks = view.curves.distinct("train_loss", "task");
    let words = Words { view, tasks };
    let findings: Vec<Finding> = words.tasks.iter().flat_map(|task| words.findings(task)).collect();
    let mut measures = vec![("score", "score (%)")];
    if words.view.get("f1", &[]).is_some() {
        measures.push(("f1", "F1 (%)"));
    }
    measures.push(("train_loss", "train loss"));
    let group = Some(("task", &words.tasks[..]));
    let title = "The methods at equal size, mean and deviation over seeds";
    let differences = [("score", "score (points)"), ("train_loss", "train loss")];
    let tables = [
        words.view.methods_table(title, group, &measures, &COSTS),
        finding::table(&findings),
        words.view.differences_table(OURS, group, &differences),
    ];
    Presentation {
        headline: words.headline(),
        answer: findings.iter().map(|finding| finding.why.clone()).collect(),
        confidence: words.confidence(config),
        figures: Vec::new(),
        tables: tables.into_iter().filter(|table| !table.rows.is_empty()).collect(),
    }
}

struct Words<'a> {
    view: View<'a>,
    tasks: Vec<String>,
}

fn said(at: &Mean) -> String {
    finding::change(at.value, at.ci95)
}

impl Words<'_> {
    fn difference(&self, name: &str, task: &str, than: &str) -> Option<Mean> {
        let [of, than] = [OURS, than].map(|method| [("task", task), ("method", method)]);
        self.view.difference(name, &of, &than)
    }

    fn findings(&self, task: &str) -> Vec<Finding> {
        [self.gate(task), self.basis(task), self.claim(task)].into_iter().flatten().collect()
    }

    /// Whether SparseGrad fits at least as well as LoRA and as random coordinates.
    fn gate(&self, task: &str) -> Option<Finding> {
        let others = ["lora", "random-basis"];
        let found = others.map(|than| self.difference("train_loss", task, than));
        let [Some(lora), Some(random)] = found else { return None };
        let below = [lora.value <= 0.0, random.value <= 0.0];
        let verdict = match below {
            [true, true] => Verdict::Holds,
            [false, false] => Verdict::DoesNotHold,
            _ => Verdict::Partly,
        };
        let why = format!(
            "{task}: after the budget of steps, SparseGrad's train loss is {} from LoRA's and {} from that in random \
             coordinates.",
            said(&lora),
            said(&random)
        );
        let claim = format!("SparseGrad's train loss ≤ LoRA's and ≤ random basis' ({task})");
        Some(Finding::new(claim, verdict, why))
    }

    /// Whether its coordinates are what helps.
    fn basis(&self, task: &str) -> Option<Finding> {
        let than = self.difference("train_loss", task, "identity-basis")?;
        let score = self.difference("score", task, "identity-basis")?;
        let verdict = clear(&than, -1.0);
        let why = format!(
            "{task}: against as many entries of the features themselves, chosen and trained alike, the train loss changes by \
             {} and the score by {} points.",
            said(&than),
            said(&score)
        );
        let claim = format!("The rotation helps, and not the optimiser alone ({task})");
        Some(Finding::new(claim, verdict, why))
    }

    /// The paper's claim: a better score than LoRA and MeProp of the same size.
    fn claim(&self, task: &str) -> Option<Finding> {
        let lora = self.difference("score", task, "lora")?;
        let mut why = format!("{task}: SparseGrad's score is {} points from LoRA's", said(&lora));
        let mut verdicts = vec![clear(&lora, 1.0)];
        for (method, name) in [("meprop", "MeProp's"), ("meprop-paper", "the paper's MeProp's")] {
            if let Some(found) = self.difference("score", task, method) {
                why.push_str(&format!(", {} from {name}", said(&found)));
                verdicts.push(clear(&found, 1.0));
            }
        }
        if let Some(full) = self.difference("score", task, "full") {
            why.push_str(&format!(" and {} from full fine-tuning's", said(&full)));
        }
        let all = |verdict| verdicts.iter().all(|one| *one == verdict);
        let any = |verdict| verdicts.contains(&verdict);
        let verdict = if all(Verdict::Holds) {
            Verdict::Holds
        } else if any(Verdict::Holds) {
            Verdict::Partly
        } else if any(Verdict::DoesNotHold) {
            Verdict::DoesNotHold
        } else {
            Verdict::CannotBeJudged
        };
        if verdict == Verdict::CannotBeJudged {
            why.push_str(": no difference beyond what seeds make");
        }
        why.push('.');
        let claim = format!("SparseGrad scores better than LoRA and MeProp of its size ({task})");
        Some(Finding::new(claim, verdict, why))
    }

    fn headline(&self) -> String {
        let parts: Vec<String> = self
            .tasks
            .iter()
            .filter_map(|task| {
                let of = |name: &str, method: &str| {
                    let place = [("task", task.as_str()), ("method", method)];
                    self.view.value(name, &place).map(short)
                };
                Some(format!(
                    "{task}: {} against LoRA's {} %, train loss {} against {}",
                    of("score", OURS)?,
                    of("score", "lora")?,
                    of("train_loss", OURS)?,
                    of("train_loss", "lora")?
                ))
            })
            .collect();
        match parts.is_empty() {
            true => "SparseGrad and LoRA were not both measured".to_owned(),
            false => format!("SparseGrad on {}", parts.join("; ")),
        }
    }

    fn confidence(&self, config: &GlueConfig) -> Vec<String> {
        let recipe = &config.recipe;
        let seeds = match self.view.results.seeds.len() {
            0 | 1 => {
                "One seed: differences have no interval, and no score can be judged.".to_owned()
            }
            n => format!(
                "{n} seeds draw the head, the batches, dropout and what methods draw; all methods of a seed see the same \
                 batches, so that differences are paired. Intervals are Student's t."
            ),
        };
        let rest = if config.train_rest { "trained by all" } else { "frozen, but for the head" };
        let mut lines = vec![
            seeds,
            format!(
                "{}; then {} steps of {}{}. The train loss is the mean of the last tenth of the steps. The rest of the \
                 model is {rest}; `full`, `sparsegrad-paper` and `sparsegrad-reference` train it all the same.",
                recipe.choice(),
                recipe.steps,
                recipe.batch_size,
                recipe.subset()
            ),
            BYTES.to_owned(),
        ];
        for task in &self.tasks {
            if let Some(majority) = self.view.value("majority", &[("task", task)]) {
                lines.push(format!(
                    "{task}: always the same answer scores {} % accuracy.",
                    short(majority)
                ));
            }
        }
        lines
    }
}

/// A change in the wanted direction, in the other, or neither beyond its interval.
fn clear(change: &Mean, wanted: f64) -> Verdict {
    match change.ci95 {
        Some(ends) if ends.iter().all(|end| end * wanted > 0.0) => Verdict::Holds,
        Some(ends) if ends.iter().all(|end| end * wanted < 0.0) => Verdict::DoesNotHold,
        _ => Verdict::CannotBeJudged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_clear_lies_on_one_side() {
        let mean =
            |low: f64, high: f64| Mean { value: 0.5 * (low + high), ci95: Some([low, high]) };
        assert_eq!(clear(&mean(0.1, 0.2), 1.0), Verdict::Holds);
        assert_eq!(clear(&mean(0.1, 0.2), -1.0), Verdict::DoesNotHold);
        assert_eq!(clear(&mean(-0.1, 0.2), 1.0), Verdict::CannotBeJudged);
        assert_eq!(clear(&Mean { value: 1.0, ci95: None }, 1.0), Verdict::CannotBeJudged);
    }
}
