//! A claim, its verdict, and the sentence that says why.

use crate::format::short;
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

/// A change for a sentence: signed, with its interval.
pub(in crate::experiments) fn change(value: f64, ci95: Option<[f64; 2]>) -> String {
    let signed = |value: f64| match value > 0.0 {
        true => format!("+{}", short(value)),
        false => short(value).replace('-', "−"),
    };
    match ci95 {
        Some([low, high]) => {
            format!("{} (95\u{a0}%: {} to {})", signed(value), signed(low), signed(high))
        }
        None => signed(value),
    }
}

#[cfg(test)]
mod tests {
    use super::change;

    #[test]
    fn changes_have_a_sign() {
        assert_eq!(change(0.25, None), "+0.25");
        assert_eq!(change(-0.5, Some([-0.75, 0.0])), "−0.5 (95\u{a0}%: −0.75 to 0)");
    }
}
