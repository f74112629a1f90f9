//! Words, a figure and a table on translations, from the records alone.

use super::super::comparison::{Comparison, Quality};
use super::TranslationConfig;
use crate::present::Presentation;
use crate::record::{Better, Results};

const BLEU: Quality = Quality {
    metric: "bleu",
    change: "bleu_change",
    called: "BLEU",
    changing: "it",
    unit: "",
    better: Better::Higher,
    over: "sentences",
};

/// All there is to say.
pub(super) fn present(config: &TranslationConfig, results: &Results) -> Presentation {
    let comparison = Comparison::new(results, BLEU);
    let mut confidence = comparison.confidence(None);
    confidence.push(
        "BLEU is that of plain text by sacreBLEU's rules (13a, with case, exponential smoothing); perplexity is \
         of subwords, so that it compares with others of this vocabulary only."
            .to_owned(),
    );
    if config.generated() {
        confidence.push(
            "The sentences are generated, with a few dozen words: they show that all parts work, not how good a table is."
                .to_owned(),
        );
    }
    Presentation {
        headline: comparison.headline(),
        answer: comparison.answer(),
        confidence,
        figures: vec![comparison.figure()],
        tables: vec![comparison.table(&[
            ("bleu", "BLEU"),
            ("bleu_change", "change of BLEU"),
            ("perplexity", "perplexity"),
        ])],
    }
}
