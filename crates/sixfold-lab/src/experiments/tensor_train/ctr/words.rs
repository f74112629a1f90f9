//! Words, a figure and a table on click prediction, from the records alone.

use super::super::comparison::{Comparison, Quality};
use super::CtrConfig;
use crate::experiments::curves::Curves;
use crate::format::short;
use crate::present::Presentation;
use crate::record::{Better, Results};

const LOGLOSS: Quality = Quality {
    metric: "logloss",
    change: "logloss_change",
    called: "log loss",
    changing: "it",
    unit: "",
    better: Better::Lower,
    over: "rows",
};

/// All there is to say.
pub(super) fn present(config: &CtrConfig, results: &Results) -> Presentation {
    let comparison = Comparison::new(results, LOGLOSS);
    let mut confidence = comparison.confidence(config.recipe.rates());
    if let Some(constant) = Curves::new(results).one("logloss_constant", &[]) {
        confidence.push(format!(
            "Who always guesses the share of clicks has a log loss of {}.",
            short(constant)
        ));
    }
    confidence.push(format!(
        "{} passes over few rows: this shows that the parts work together, and no difference \
         between tables should be taken from it.",
        config.recipe.epochs
    ));
    Presentation {
        headline: comparison.headline(),
        answer: comparison.answer(),
        confidence,
        figures: vec![comparison.figure()],
        tables: vec![comparison.table(&[
            ("logloss", "log loss"),
            ("logloss_change", "change"),
            ("auc", "AUC"),
            ("auc_change", "change of AUC"),
        ])],
    }
}
