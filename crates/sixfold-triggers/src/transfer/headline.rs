//! A gain that may be printed.

use std::fmt;

use serde::Serialize;

use super::{Gain, Kind};
use crate::{Error, Interval, Result};

/// The paper's gain with the matched line beside it; neither is to be had without the other.
///
/// ```
/// use sixfold_triggers::{Evidence, Headline, Protocol, Table, Trial};
/// let trial = |method: &str, setting: &str, one_in: usize| Trial {
///     source: "bert".into(),
///     target: "roberta".into(),
///     task: "sst-2".into(),
///     method: method.into(),
///     setting: setting.into(),
///     seed: 0,
///     fooled: (0..100).map(|i| i % one_in == 0).collect(),
///     proxy: None,
/// };
/// let table = Table::new(vec![
///     trial("luat", "layer 2", 4),
///     trial("luat", "layer 3", 2),
///     trial("uat", "restart 0", 5),
///     trial("uat", "restart 1", 2),
/// ])?;
/// let protocol = Protocol { evidence: Evidence::Target { examples: 40, seed: 0 }, ..Default::default() };
/// let paper = table.paper("luat", ("uat", "restart 0"), &protocol)?;
/// let matched = table.matched("luat", "uat", &protocol)?;
/// assert!(paper.interval().low > 0.1);
/// let headline = Headline::new(paper, matched)?;
/// // All of it was selection.
/// assert_eq!(headline.matched().interval().value, 0.0);
/// # Ok::<(), sixfold_triggers::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Headline {
    paper: Gain,
    matched: Gain,
}

impl Headline {
    /// A headline of both lines.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where either is another kind of comparison, or where methods,
    /// protocol, pairs of models, tasks or seeds of the two differ, or the paper's line chose
    /// from another number of settings.
    pub fn new(paper: Gain, matched: Gain) -> Result<Self> {
        for (gain, kind) in [(&paper, Kind::Paper), (&matched, Kind::Matched)] {
            if gain.kind() != kind {
                return Err(Error::Mismatch {
                    what: "the kind of a gain",
                    expected: format!("{kind:?}").to_lowercase(),
                    found: format!("{:?}", gain.kind()).to_lowercase(),
                });
            }
        }
        let differs =
            |what, expected: String, found: String| Err(Error::Mismatch { what, expected, found });
        let methods = |gain: &Gain| format!("{} against {}", gain.method(), gain.against());
        if methods(&paper) != methods(&matched) {
            return differs("the matched comparison", methods(&paper), methods(&matched));
        }
        if paper.protocol() != matched.protocol() {
            let said = |gain: &Gain| format!("{:?}", gain.protocol());
            return differs("the matched protocol", said(&paper), said(&matched));
        }
        let cases = |gain: &Gain| -> Vec<String> {
            let case = |c: &super::Chosen| {
                format!(
                    "{} → {} on {}, seed {}, of {}",
                    c.source, c.target, c.task, c.seed, c.candidates
                )
            };
            gain.chosen()[0].iter().map(case).collect()
        };
        if cases(&paper) != cases(&matched) {
            return differs(
                "the matched cases",
                cases(&paper).join("; "),
                cases(&matched).join("; "),
            );
        }
        Ok(Self { paper, matched })
    }

    /// The gain as the paper counts it.
    pub fn paper(&self) -> &Gain {
        &self.paper
    }

    /// The gain where both choose alike.
    pub fn matched(&self) -> &Gain {
        &self.matched
    }
}

impl fmt::Display for Headline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let points = |Interval { value, low, high }: Interval| {
            format!("{:+.1} points [{:+.1}, {:+.1}]", 100.0 * value, 100.0 * low, 100.0 * high)
        };
        let (fewest, most) = self.paper.candidates()[0];
        let of = if fewest == most { most.to_string() } else { format!("{fewest} to {most}") };
        let (method, against) = (self.paper.method(), self.paper.against());
        writeln!(
            f,
            "{method} chosen among {of} against one {against}: {}",
            points(self.paper.interval())
        )?;
        write!(f, "both chosen among {of}: {}", points(self.matched.interval()))
    }
}
