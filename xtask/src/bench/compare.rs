//! Kept estimates beside new ones.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::estimates::Time;
use super::record::Row;
use crate::table::table as aligned;

/// A table of the benchmarks that both have, and what speaks against reading it.
pub(super) fn table(name: &str, then: &[Row], now: &[Row]) -> String {
    let mut cells = vec![["benchmark", "then", "now", "ratio", "95 % interval"].map(String::from)];
    let mut both = Vec::new();
    for row in now {
        let key = (&row.bench, &row.benchmark);
        let Some(old) = then.iter().find(|old| (&old.bench, &old.benchmark) == key) else {
            continue;
        };
        let (ratio, low, high) = ratio(old.median, row.median);
        cells.push([
            format!("{} {}", row.bench, row.benchmark),
            duration(old.median.value),
            duration(row.median.value),
            format!("{ratio:.3}"),
            format!("{low:.3} to {high:.3}"),
        ]);
        both.push((old, row));
    }
    if both.is_empty() {
        return format!("none of these benchmarks is recorded as `{name}`\n");
    }
    let mut text = aligned(&cells, 1);
    let _ = writeln!(text, "\nMedians of an iteration; `then` is {}.", runs(name, &both));
    if both.len() < now.len() {
        let _ = writeln!(text, "{} benchmarks are not in `{name}`.", now.len() - both.len());
    }
    let machine = |row: &Row| format!("{}, {} cores", row.origin.cpu, row.origin.cores);
    let other: BTreeSet<String> = both
        .iter()
        .filter(|(then, now)| machine(then) != machine(now))
        .map(|(then, _)| machine(then))
        .collect();
    if !other.is_empty() {
        let other: Vec<String> = other.into_iter().collect();
        let _ = writeln!(
            text,
            "The machine differs: then {}; now {}. Only ratios within one run mean anything.",
            other.join(" and "),
            machine(both[0].1)
        );
    }
    text
}

/// The runs that `then` comes from.
fn runs(name: &str, both: &[(&Row, &Row)]) -> String {
    let runs: BTreeSet<String> = both
        .iter()
        .map(|(then, _)| {
            let origin = &then.origin;
            let changes = if origin.dirty { " with changes" } else { "" };
            format!("{} at {}{changes}", origin.date, origin.commit)
        })
        .collect();
    let runs: Vec<String> = runs.into_iter().collect();
    format!("`{name}` of {}", runs.join(", "))
}

/// now / then with its interval. The distances of both intervals in the logarithm add up as those
/// of independent errors (the method of variance estimates recovery).
fn ratio(then: Time, now: Time) -> (f64, f64, f64) {
    let ratio = now.value / then.value;
    let below = (now.value / now.low).ln().hypot((then.high / then.value).ln());
    let above = (now.high / now.value).ln().hypot((then.value / then.low).ln());
    (ratio, ratio * (-below).exp(), ratio * above.exp())
}

/// Nanoseconds in the unit that suits them.
fn duration(ns: f64) -> String {
    let units = [(1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns")];
    let (size, unit) = units.into_iter().find(|(size, _)| ns >= *size).unwrap_or((1.0, "ns"));
    let value = ns / size;
    let digits = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.digits$} {unit}")
}
