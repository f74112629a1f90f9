//! A claim, its verdict, and the sentence that says why.

use crate::table::{Cell, Table};

/// How a claim fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::experiments) enum Verdict {
    Holds,
    Partly,
    DoesNotHold,
    CannotBeJudged,
}

impl Verdict {
    pub(in crate::experiments) const fn name(self) -> &'static str {
        match self {
            Self::Holds => "holds here",
            Self::Partly => "holds in part",
            Self::DoesNotHold => "does not hold here",
            Self::CannotBeJudged => "cannot be judged",
        }
    }
}

/// A claim, its verdict, and the sentence that says why.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::experiments) struct Finding {
    pub(in crate::experiments) claim: String,
    pub(in crate::experiments) verdict: Verdict,
    pub(in crate::experiments) why: String,
}

impl Finding {
    pub(in crate::experiments) fn new(
        claim: impl Into<String>,
        verdict: Verdict,
        why: impl Into<String>,
    ) -> Self {
        Self { claim: claim.into(), verdict, why: why.into() }
    }
}

/// All findings as a table.
pub(in crate::experiments) fn table(findings: &[Finding]) -> Table {
    let mut table = Table::new(
        "claims",
        "The claims, and what these numbers say",
        ["claim", "verdict", "what the numbers say"],
    );
    for Finding { claim, verdict, why } in findings {
        table.push([
            Cell::from(claim.as_str()),
            Cell::from(verdict.name()),
            Cell::from(why.as_str()),
        ]);
    }
    table
}
