//! How a number of ours stands to a published one.

use std::fmt;

use super::Published;
use crate::format::short;
use crate::record::{Metric, Results, together};

/// What the comparison of two numbers says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They are apart by no more than both spreads together.
    Reproduced(String),
    /// They are apart by more than that, or neither has a spread, but by no more than the tolerance of the table.
    WithinTolerance(String),
    /// They are apart by more than all of these.
    Differs(String),
    /// There is nothing to judge, or nothing to judge by.
    NotComparable(String),
}

impl Verdict {
    /// Whether two numbers were judged.
    pub fn is_judged(&self) -> bool {
        !matches!(self, Self::NotComparable(_))
    }

    /// The verdict in words.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Reproduced(_) => "reproduced",
            Self::WithinTolerance(_) => "within tolerance",
            Self::Differs(_) => "differs",
            Self::NotComparable(_) => "not comparable",
        }
    }

    /// Why.
    pub fn reason(&self) -> &str {
        match self {
            Self::Reproduced(why)
            | Self::WithinTolerance(why)
            | Self::Differs(why)
            | Self::NotComparable(why) => why,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name(), self.reason())
    }
}

impl Published {
    /// The first of the runs that has this quantity, and how it stands to the paper's.
    pub fn judge<'a>(&self, runs: &'a [Results]) -> (Option<&'a Metric>, Verdict) {
        let found = runs.iter().find_map(|run| Some((run, self.ours(run)?)));
        let verdict = match (found, &self.unless_paper) {
            (Some((run, _)), Some(why)) if run.preset != "paper" => {
                Verdict::NotComparable(why.clone())
            }
            (Some((_, ours)), _) => self.verdict(ours),
            (None, _) if runs.is_empty() => {
                Verdict::NotComparable("there is no run of ours".to_owned())
            }
            (None, _) => Verdict::NotComparable(
                "no run of ours has the same model, task and method".to_owned(),
            ),
        };
        let found = found.map(|(_, ours)| ours);
        (found, verdict)
    }

    /// How `ours` stands to it.
    ///
    /// The paper's ± and half of our 95 % interval add as squares: errors of two laboratories are independent, so that
    /// their sum would be too lenient.
    pub fn verdict(&self, ours: &Metric) -> Verdict {
        if !ours.value.is_finite() {
            return Verdict::NotComparable("ours is not a number".to_owned());
        }
        let half = ours.half_interval();
        let apart = (ours.value - self.value).abs();
        let whose = match (self.spread, half) {
            (Some(_), Some(_)) => "both spreads together",
            (Some(_), None) => "the paper's spread",
            (None, _) => "our interval",
        };
        let room = together(self.spread, half);
        if let Some(room) = room.filter(|room| apart <= *room) {
            return Verdict::Reproduced(format!(
                "{} apart, {whose}: {}",
                short(apart),
                short(room)
            ));
        }
        let spread = room.map_or_else(
            || "no spread on either side".to_owned(),
            |room| format!("{whose}: {}", short(room)),
        );
        match self.tolerance {
            Some(most) if apart <= most => Verdict::WithinTolerance(format!(
                "{} apart, tolerance {}; {spread}",
                short(apart),
                short(most)
            )),
            Some(most) => Verdict::Differs(format!(
                "{} apart, tolerance {}; {spread}",
                short(apart),
                short(most)
            )),
            None if room.is_some() => Verdict::Differs(format!("{} apart, {spread}", short(apart))),
            None => Verdict::NotComparable(format!("{spread}, and the table has no tolerance")),
        }
    }
}
