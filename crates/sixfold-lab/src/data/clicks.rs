//! Shown advertisements and whether they were clicked, in the layout of Criteo's logs.

use std::path::Path;

use anyhow::Result;
use rand::RngExt;
use sixfold_model::Seed;

use super::{Documents, Split};
use crate::error::missing;

/// Whole numbers of a row.
pub const COUNTS: usize = 13;

/// Categories of a row.
pub const FIELDS: usize = 26;

/// An advertisement that was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Whether it was clicked.
    pub clicked: bool,
    /// Whole numbers, where they are known.
    pub counts: [Option<i64>; COUNTS],
    /// Categories, where they are known.
    pub fields: [Option<String>; FIELDS],
}

/// Reads a log of Criteo's: in each line the label, 13 whole numbers and 26 categories, with tabs
/// between them and nothing for what is not known (`.tsv`, `.csv`, either with `.gz`).
///
/// # Errors
/// A file that cannot be read, and lines of another layout, naming file and line.
pub fn clicks(path: &Path) -> Result<Vec<Shown>> {
    let lines = std::io::BufRead::lines(Documents::lines(path)?);
    let mut rows = Vec::new();
    for (index, line) in lines.enumerate() {
        let at = |problem: String| missing(format!("{}:{}: {problem}", path.display(), index + 1));
        let line = line.map_err(|error| at(error.to_string()))?;
        rows.push(row(&line).map_err(at)?);
    }
    match rows.is_empty() {
        true => Err(missing(format!("{}: no line", path.display()))),
        false => Ok(rows),
    }
}

fn row(line: &str) -> Result<Shown, String> {
    let cells: Vec<&str> = line.trim_end_matches(['\r', '\n']).split('\t').collect();
    let expected = 1 + COUNTS + FIELDS;
    if cells.len() != expected {
        return Err(format!("{} columns, {expected} are expected", cells.len()));
    }
    let clicked = match cells[0] {
        "0" => false,
        "1" => true,
        other => return Err(format!("the label is `{other}`; 0 or 1 is expected")),
    };
    let mut counts = [None; COUNTS];
    for (count, cell) in counts.iter_mut().zip(&cells[1..]).filter(|(_, cell)| !cell.is_empty()) {
        let number = cell.parse().map_err(|_| format!("`{cell}` is no whole number"))?;
        *count = Some(number);
    }
    let field = |k: usize| Some(cells[1 + COUNTS + k].to_owned()).filter(|cell| !cell.is_empty());
    Ok(Shown { clicked, counts, fields: std::array::from_fn(field) })
}

/// Made-up advertisements: each category has a weight, and their sum decides how likely a click is.
///
/// A fifth of the cells is not known. The two splits are drawn from streams of their own, over the
/// same weights; the same seed gives the same rows.
pub fn generated(split: Split, seed: u64) -> Vec<Shown> {
    const CATEGORIES: u64 = 12;
    let (name, n) = match split {
        Split::Train => ("train", 2_000),
        Split::Dev => ("dev", 1_000),
    };
    let mut random = Seed::new(seed).derive("clicks").stream(name);
    let one = |_| {
        let mut logit = -1.0;
        let fields = std::array::from_fn(|k| {
            let value = random.random_range(0..CATEGORIES);
            if random.random_bool(0.2) {
                return None;
            }
            // Fields of small number say more.
            let sign =
                if (value * 7 + k as u64 * 5) % CATEGORIES < CATEGORIES / 2 { 1.0 } else { -1.0 };
            logit += sign * 1.5 / (1.0 + k as f64);
            Some(format!("{value:x}"))
        });
        let counts = std::array::from_fn(|_| {
            let value = random.random_range(0..50);
            random.random_bool(0.8).then_some(value)
        });
        let clicked = random.random_bool(1.0 / (1.0 + f64::exp(-logit)));
        Shown { clicked, counts, fields }
    };
    (0..n).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(label: &str, count: &str) -> String {
        let counts = vec![count; COUNTS].join("\t");
        let fields = (0..FIELDS).map(|k| if k == 3 { String::new() } else { format!("a{k}") });
        format!("{label}\t{counts}\t{}", fields.collect::<Vec<_>>().join("\t"))
    }

    fn read(text: &str) -> Result<Vec<Shown>> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.csv");
        std::fs::write(&path, text).unwrap();
        clicks(&path)
    }

    #[test]
    fn lines_are_read_with_what_is_not_known() {
        let found = read(&format!("{}\n{}\n", line("1", "-2"), line("0", ""))).unwrap();
        assert_eq!(found.iter().map(|row| row.clicked).collect::<Vec<_>>(), [true, false]);
        assert_eq!((found[0].counts[12], found[1].counts[0]), (Some(-2), None));
        assert_eq!(
            (found[0].fields[3].as_deref(), found[0].fields[25].as_deref()),
            (None, Some("a25"))
        );
    }

    #[test]
    fn lines_of_another_layout_are_errors() {
        for (text, expected) in [
            ("0\t1\t2\n".to_owned(), "log.csv:1: 3 columns, 40 are expected"),
            (line("2", "1"), "log.csv:1: the label is `2`"),
            (
                format!("{}\n{}", line("1", "1"), line("1", "x")),
                "log.csv:2: `x` is no whole number",
            ),
            (String::new(), "log.csv: no line"),
        ] {
            let error = format!("{:#}", read(&text).unwrap_err());
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn made_up_rows_repeat_and_are_clicked_by_their_categories() {
        let rows = generated(Split::Train, 0);
        assert_eq!(rows, generated(Split::Train, 0));
        assert_ne!(rows[..5], generated(Split::Dev, 0)[..5]);
        let rate = |value: &str| {
            let of: Vec<&Shown> =
                rows.iter().filter(|row| row.fields[0].as_deref() == Some(value)).collect();
            of.iter().filter(|row| row.clicked).count() as f64 / of.len() as f64
        };
        // 7·0 mod 12 = 0 speaks for a click, 7·1 mod 12 = 7 against one.
        assert!(rate("0") > rate("1") + 0.2, "{} {}", rate("0"), rate("1"));
    }
}
