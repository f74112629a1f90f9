//! Words, a figure and a table on accuracy against size, from the records alone.

use super::super::comparison::{Comparison, Quality};
use super::SentimentConfig;
use crate::experiments::curves::Curves;
use crate::format::short;
use crate::present::Presentation;
use crate::record::{Better, Results};

const ACCURACY: Quality = Quality {
    metric: "accuracy",
    change: "accuracy_change",
    called: "accuracy",
    changing: "it",
    unit: "",
    better: Better::Higher,
    over: "reviews",
};

/// All there is to say.
pub(super) fn present(config: &SentimentConfig, results: &Results) -> Presentation {
    let comparison = Comparison::new(results, ACCURACY);
    let curves = Curves::new(results);
    let mut answer = comparison.answer();
    answer.extend(in_eight_bits(curves));
    let mut confidence = comparison.confidence(config.recipe.rates());
    confidence.push(format!(
        "Around each table there is the same model: a bidirectional LSTM of {} each way and the \
         maximum over the last {} words; what fills a batch up is masked for all. Each seed draws \
         the split, the first values, the order and what is dropped. Nothing was chosen by the \
         reviews that report: they are measured once, after {} epochs.",
        config.d_hidden, config.max_tokens, config.recipe.epochs
    ));
    if let Some(majority) = curves.one("majority", &[]) {
        confidence
            .push(format!("Always the same answer is right in {} of cases.", short(majority)));
    }
    Presentation {
        headline: comparison.headline(),
        answer,
        confidence,
        figures: vec![comparison.figure()],
        tables: vec![comparison.table(&[
            ("accuracy", "accuracy"),
            ("accuracy_change", "change"),
            ("accuracy_int8", "in 8 bits"),
            ("train_accuracy", "on what was learned"),
        ])],
    }
}

/// What cores of 8 bits cost, table by table.
fn in_eight_bits(curves: Curves<'_>) -> Option<String> {
    let names = curves.distinct("accuracy_int8", "embedding");
    let parts: Vec<String> = names
        .iter()
        .filter_map(|name| {
            let of = |metric| curves.one(metric, &[("embedding", name)]);
            Some(format!(
                "`{name}` {} instead of {}",
                short(of("accuracy_int8")?),
                short(of("accuracy")?)
            ))
        })
        .collect();
    let text =
        format!("With cores in 8 bits, not trained further, accuracy is {}.", parts.join(", "));
    (!parts.is_empty()).then_some(text)
}
