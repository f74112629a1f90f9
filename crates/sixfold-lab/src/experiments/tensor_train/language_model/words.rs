//! Words, a figure and a table on language models, from the records alone.

use super::super::comparison::{Comparison, Quality};
use crate::format::short;
use crate::present::Presentation;
use crate::record::{Better, Results};

const PERPLEXITY: Quality = Quality {
    metric: "perplexity",
    change: "loss_change",
    called: "perplexity",
    changing: "the loss of a word",
    unit: " nats",
    better: Better::Lower,
    over: "documents",
};

/// All there is to say.
pub(super) fn present(results: &Results) -> Presentation {
    let comparison = Comparison::new(results, PERPLEXITY);
    let mut confidence = comparison.confidence(None);
    let one = |name| results.named(name).next().map(|metric| metric.value);
    if let (Some(unknown), Some(words)) = (one("unknown"), one("words")) {
        confidence.push(format!(
            "The vocabulary has {} entries; {} % of the held-out words are not in it and count as the one \
             unknown word, which makes perplexities lower than they would be over all words.",
            short(words),
            short(100.0 * unknown)
        ));
    }
    if let Some(unigram) = one("unigram_perplexity") {
        confidence
            .push(format!("Frequencies of words alone have a perplexity of {}.", short(unigram)));
    }
    Presentation {
        headline: comparison.headline(),
        answer: comparison.answer(),
        confidence,
        figures: vec![comparison.figure()],
        tables: vec![
            comparison
                .table(&[("perplexity", "perplexity"), ("loss_change", "change of the loss")]),
        ],
    }
}
