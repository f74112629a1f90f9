//! What a driver's `--json` wrote, and one table of all of them.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::places::read;
use crate::table::table as aligned;

/// Ours over another's, less is better.
#[derive(Debug, PartialEq)]
struct Ratio {
    work: String,
    peer: String,
    /// The unit of both sides.
    measure: String,
    ours: f64,
    theirs: f64,
    ratio: f64,
    /// The most that the ratio may be.
    gate: Option<f64>,
}

impl Ratio {
    fn missed(&self) -> bool {
        self.gate.is_some_and(|gate| self.ratio > gate)
    }
}

/// A comparison.
#[derive(Debug, PartialEq)]
pub(super) struct Report {
    name: String,
    commit: String,
    machine: String,
    /// The largest share of the processors that other processes had.
    others: Option<f64>,
    ratios: Vec<Ratio>,
}

impl Report {
    /// Reads what `Ratios.write` of `sides.py` wrote.
    pub(super) fn read(name: &str, path: &Path) -> Result<Self> {
        let told: Value = serde_json::from_str(&read(path)?)
            .with_context(|| format!("{} is no JSON", path.display()))?;
        let report = Self::parse(name, &told);
        report.with_context(|| format!("{}", path.display()))
    }

    fn parse(name: &str, told: &Value) -> Result<Self> {
        ensure!(told["schema"] == 1, "`schema` is not 1");
        let text = |value: &Value, key: &str| {
            value[key].as_str().map(str::to_owned).with_context(|| format!("`{key}` is no text"))
        };
        let number = |value: &Value, key: &str| {
            value[key].as_f64().with_context(|| format!("`{key}` is no number"))
        };
        let rows = told["ratios"].as_array().context("`ratios` is no list")?;
        let ratios = rows.iter().map(|row| {
            Ok(Ratio {
                work: text(row, "work")?,
                peer: text(row, "peer")?,
                measure: text(row, "measure")?,
                ours: number(row, "ours")?,
                theirs: number(row, "theirs")?,
                ratio: number(row, "ratio")?,
                gate: row["gate"].as_f64(),
            })
        });
        let changes = if told["dirty"] == true { " with changes" } else { "" };
        Ok(Self {
            name: name.to_owned(),
            commit: text(told, "commit")? + changes,
            machine: text(told, "machine")?,
            others: told["others"].as_f64(),
            ratios: ratios.collect::<Result<_>>()?,
        })
    }
}

/// All ratios, and what was missed.
pub(super) fn table(reports: &[Report]) -> String {
    let header =
        ["comparison", "work", "beside", "unit", "ours", "theirs", "ratio", "gate", "reached"];
    let mut rows = vec![header.map(String::from)];
    let (mut gates, mut missed, mut origins) = (0, Vec::new(), String::new());
    for report in reports {
        for ratio in &report.ratios {
            let gate = ratio.gate.map(|gate| format!("≤ {gate:.3}")).unwrap_or_default();
            let reached = match ratio.gate {
                None => "",
                Some(_) if ratio.missed() => "no",
                Some(_) => "yes",
            };
            gates += usize::from(ratio.gate.is_some());
            if ratio.missed() {
                missed.push(format!("{} {}", report.name, ratio.work));
            }
            rows.push([
                report.name.clone(),
                ratio.work.clone(),
                ratio.peer.clone(),
                ratio.measure.clone(),
                number(ratio.ours),
                number(ratio.theirs),
                format!("{:.3}", ratio.ratio),
                gate,
                reached.to_owned(),
            ]);
        }
        let others = report
            .others
            .map(|share| format!("; others had at most {:.0} % of the processors", 100.0 * share));
        let (name, machine, commit) = (&report.name, &report.machine, &report.commit);
        let others = others.unwrap_or_default();
        let _ = writeln!(origins, "{name}: commit {commit}, {machine}{others}");
    }
    let mut text = aligned(&rows, 4);
    let _ = write!(
        text,
        "\nLess is better everywhere. {} of {gates} gates reached",
        gates - missed.len()
    );
    let _ = match missed.is_empty() {
        true => writeln!(text, "."),
        false => writeln!(text, "; missed: {}.", missed.join(", ")),
    };
    text + &origins
}

/// Four digits that count.
fn number(value: f64) -> String {
    let before = if value >= 1.0 { value.log10().floor() as usize + 1 } else { 1 };
    if value >= 0.1 || value == 0.0 {
        format!("{value:.0$}", 4_usize.saturating_sub(before))
    } else {
        format!("{value:.2e}")
    }
}
