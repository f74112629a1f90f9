//! What a report says about the numbers, before it is laid out.

use crate::figure::Figure;
use crate::table::Table;

/// Words, figures and tables of one run.
#[derive(Clone, Debug, Default)]
pub struct Presentation {
    /// What came out, as one sentence.
    pub headline: String,
    /// What came out, in a few more sentences.
    pub answer: Vec<String>,
    /// How sure that is: intervals, sample sizes, controls.
    pub confidence: Vec<String>,
    /// The charts.
    pub figures: Vec<Figure>,
    /// The tables; the first one is also printed on the terminal.
    pub tables: Vec<Table>,
}
