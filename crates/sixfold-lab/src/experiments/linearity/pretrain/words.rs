//! Figures, tables and words of the trainings, from their records alone.

use super::PretrainConfig;
use crate::present::Presentation;
use crate::record::Results;

/// All there is to say.
pub(super) fn present(_config: &PretrainConfig, _results: &Results) -> Presentation {
    Presentation { headline: "Nothing was measured".to_owned(), ..Presentation::default() }
}
