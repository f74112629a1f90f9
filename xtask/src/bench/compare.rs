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
        let _ = writeln!(text, "Not in `{name}`: {} of {}.", now.len() - both.len(), now.len());
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

#[cfg(test)]
mod tests {
    use super::super::record::tests::row;
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-12 * b.abs()
    }

    #[test]
    fn the_interval_of_a_ratio_is_that_of_two_independent_times() {
        let exact = Time { value: 100.0, low: 100.0, high: 100.0 };
        let wide = Time { value: 200.0, low: 180.0, high: 230.0 };
        // One exact side: the other's interval, divided.
        let (now, low, high) = ratio(exact, wide);
        assert!(close(now, 2.0) && close(low, 1.8) && close(high, 2.3));
        let (now, low, high) = ratio(wide, exact);
        assert!(close(now, 0.5) && close(low, 100.0 / 230.0) && close(high, 100.0 / 180.0));
        // Two equal ones: √2 times as wide in the logarithm.
        let same = Time { value: 1.0, low: (-0.1_f64).exp(), high: 0.1_f64.exp() };
        let (now, low, high) = ratio(same, same);
        let expected = 0.1 * std::f64::consts::SQRT_2;
        assert!(close(now, 1.0) && close(low.ln(), -expected) && close(high.ln(), expected));
    }

    #[test]
    fn only_what_both_have_is_compared() {
        let then = [row("old", "linalg", "eigh/64", 1e3), row("old", "model", "eigh/64", 9e9)];
        let now = [row("", "linalg", "eigh/64", 1.5e3), row("", "linalg", "svd/64", 1.0)];
        let text = table("old", &then, &now);
        assert!(text.contains("linalg eigh/64  1.00 µs  1.50 µs  1.500  "), "{text}");
        assert_eq!(text.lines().filter(|line| line.contains("eigh")).count(), 1, "{text}");
        assert!(text.contains("Not in `old`: 1 of 2."), "{text}");
        assert!(text.contains("`old` of 2026-11-27 at abc1234."), "{text}");
        assert!(!text.contains("differs"), "{text}");
        assert!(table("old", &then[1..], &now).starts_with("none of these"));
    }

    #[test]
    fn another_machine_is_told() {
        let mut then = row("old", "linalg", "eigh/64", 1e3);
        then.origin.cores = 64;
        then.origin.dirty = true;
        let text = table("old", &[then], &[row("", "linalg", "eigh/64", 1e3)]);
        assert!(text.contains("then A processor, 64 cores; now A processor, 2 cores"), "{text}");
        assert!(text.contains("at abc1234 with changes"), "{text}");
    }

    #[test]
    fn times_have_three_digits_and_a_unit() {
        let found = [0.25, 1.0, 12.34, 123.4, 1234.0, 5e7, 2.5e9].map(duration);
        let expected = ["0.25 ns", "1.00 ns", "12.3 ns", "123 ns", "1.23 µs", "50.0 ms", "2.50 s"];
        assert_eq!(found, expected);
    }
}
