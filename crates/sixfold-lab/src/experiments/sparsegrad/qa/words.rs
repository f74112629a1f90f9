//! Words and tables on answers, from the records alone.

use super::super::words::{BYTES, COSTS, View};
use super::QaConfig;
use crate::experiments::finding::{self, Finding, Verdict};
use crate::format::short;
use crate::present::Presentation;
use crate::record::Results;

const OURS: &str = "sparsegrad";

/// All there is to say.
pub(super) fn present(config: &QaConfig, results: &Results) -> Presentation {
    let view = View::new(results);
    let findings: Vec<Finding> =
        ["lora", "random-basis"].into_iter().filter_map(|than| finding(&view, than)).collect();
    let measures = [
        ("loss", "loss of answers"),
        ("perplexity", "perplexity"),
        ("token_f1", "token F1 (%)"),
        ("train_loss", "train loss"),
    ];
    let title = "The methods at equal size, mean and deviation over seeds";
    let differences =
        [("loss", "loss"), ("token_f1", "token F1 (points)"), ("train_loss", "train loss")];
    let tables = [
        view.methods_table(title, None, &measures, &COSTS),
        finding::table(&findings),
        view.differences_table(OURS, None, &differences),
    ];
    Presentation {
        headline: headline(&view),
        answer: findings.iter().map(|finding| finding.why.clone()).collect(),
        confidence: confidence(&view, config),
        figures: Vec::new(),
        tables: tables.into_iter().filter(|table| !table.rows.is_empty()).collect(),
    }
}

/// How SparseGrad's answers are against another method's.
fn finding(view: &View<'_>, than: &str) -> Option<Finding> {
    let of = [("method", OURS)];
    let to = [("method", than)];
    let loss = view.difference("loss", &of, &to)?;
    let f1 = view.difference("token_f1", &of, &to)?;
    let verdict = match loss.ci95 {
        Some([_, high]) if high < 0.0 => Verdict::Holds,
        Some([low, _]) if low > 0.0 => Verdict::DoesNotHold,
        _ => Verdict::CannotBeJudged,
    };
    let why = format!(
        "Against `{than}`, SparseGrad's loss of held-out answers changes by {} nats a token, its token F1 by {} points.",
        finding::change(loss.value, loss.ci95),
        finding::change(f1.value, f1.ci95)
    );
    Some(Finding::new(format!("SparseGrad answers better than `{than}`"), verdict, why))
}

fn headline(view: &View<'_>) -> String {
    let loss = |method: &str| view.value("loss", &[("method", method)]).map(short);
    match (loss(OURS), loss("lora"), loss("untuned")) {
        (Some(ours), Some(lora), Some(untuned)) => format!(
            "Held-out answers cost SparseGrad {ours} nats a token, LoRA of its size {lora}, and the model as it was {untuned}"
        ),
        _ => "SparseGrad and LoRA were not both measured".to_owned(),
    }
}

fn confidence(view: &View<'_>, config: &QaConfig) -> Vec<String> {
    let seeds = match view.results.seeds.len() {
        0 | 1 => "One seed: differences have no interval, and nothing can be judged.".to_owned(),
        n => format!(
            "{n} seeds draw the batches and what methods draw; all methods of a seed see the same batches. Intervals are \
             Student's t."
        ),
    };
    let recipe = &config.recipe;
    let mut lines = vec![
        seeds,
        format!(
            "{}; then {} steps of {}{}. Token F1 is that of words of greedy answers of at most {} tokens, without case and \
             punctuation.",
            recipe.choice(),
            recipe.steps,
            recipe.batch_size,
            recipe.subset(),
            config.max_new_tokens
        ),
        BYTES.to_owned(),
    ];
    if let (Some(loss), Some(f1)) = (
        view.value("loss", &[("method", "untuned")]),
        view.value("token_f1", &[("method", "untuned")]),
    ) {
        lines.push(format!(
            "Without any tuning the loss is {} and the token F1 {} %.",
            short(loss),
            short(f1)
        ));
    }
    lines
}
