//! Gains of the layerwise method, each with the control that chooses alike.

use anyhow::Result;
use sixfold_triggers::transfer::Gain;
use sixfold_triggers::{Evidence, Headline, Pairs, Protocol, Table};

use super::super::methods::Method;
use crate::context::Context;
use crate::record::{Better, Metric};

/// What is compared: between models or between tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Across {
    Models,
    Tasks,
}

impl Across {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Models => "models",
            Self::Tasks => "tasks",
        }
    }
}

/// Records the gains over every other method, and the rates that they are made of.
///
/// `single` is the setting of the layerwise method that stands where nothing is chosen; without one that all sources
/// have, there is no such line.
///
/// # Errors
/// Trials that cannot be compared; too few examples to select with.
pub(super) fn record(
    table: &Table,
    across: Across,
    (methods, single): (&[Method], Option<&str>),
    select: usize,
    cx: &mut Context,
) -> Result<()> {
    let evidence = match across {
        Across::Models => Evidence::Target { examples: select, seed: 0 },
        Across::Tasks => Evidence::SimilarTask,
    };
    let all: &[Pairs] = match across {
        Across::Models => &[Pairs::Transfer, Pairs::WhiteBox],
        Across::Tasks => &[Pairs::Transfer],
    };
    for &pairs in all {
        let protocol = Protocol { pairs, evidence, ..Protocol::default() };
        for (index, method) in methods.iter().filter(|method| **method != Method::Luat).enumerate()
        {
            let against = method.name();
            let first = (against, "restart 0");
            let paper = table.paper("luat", first, &protocol)?;
            let matched = table.matched("luat", against, &protocol)?;
            let plain = single.map(|setting| table.single(("luat", setting), first, &protocol));
            let plain = plain.transpose()?;
            let chosen = [("paper", &paper), ("matched", &matched)];
            let all = plain.as_ref().map(|gain| ("single", gain)).into_iter().chain(chosen);
            for (selection, gain) in all {
                cx.record(gain_of(gain, selection, across, pairs));
                // In the paper's comparison the other method is the single one again.
                let other = match selection {
                    "paper" => plain.is_none().then_some("single"),
                    _ => Some(selection),
                };
                rates(gain, (index == 0).then_some(selection), other, across, cx);
            }
            if pairs == Pairs::Transfer {
                // Without the matched line there is no headline.
                let headline = Headline::new(paper, matched)?;
                cx.note(format!("Between {}: {headline}.", across.name()).replace('\n', "; "));
            }
        }
    }
    Ok(())
}

fn gain_of(gain: &Gain, selection: &str, across: Across, pairs: Pairs) -> Metric {
    let interval = gain.interval();
    let name = if pairs == Pairs::Transfer { "gain" } else { "white_box_gain" };
    Metric::new(name, interval.value)
        .ci95(Some([interval.low, interval.high]))
        .better(Better::Higher)
        .at("method", gain.method())
        .at("against", gain.against())
        .at("selection", selection)
        .at("across", across.name())
}

/// The rates of both methods, each under the name of its selection, where it has one.
fn rates(
    gain: &Gain,
    selection: Option<&str>,
    other: Option<&str>,
    across: Across,
    cx: &mut Context,
) {
    for pair in gain.pairs() {
        let rates = [(gain.method(), pair.rate, selection), (gain.against(), pair.against, other)];
        for (method, rate, selection) in rates {
            let Some(selection) = selection else { continue };
            let metric = Metric::new("fooling_rate", rate);
            let metric = match across {
                Across::Models => metric
                    .at("source", pair.source.as_str())
                    .at("target", pair.target.as_str())
                    .at("task", pair.task.as_str()),
                Across::Tasks => {
                    metric.at("task", pair.source.as_str()).at("target_task", pair.target.as_str())
                }
            };
            cx.record(metric.at("method", method).at("selection", selection));
        }
    }
}
