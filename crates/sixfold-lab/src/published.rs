//! Published numbers: what papers print, with table, row and column, to be set beside ours.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use crate::record::{Label, Metric, Results};

mod verdict;
pub use verdict::Verdict;

/// The files of this version, by crate.
const FILES: &[(&str, &str)] = &[
    ("published/linearity.toml", include_str!("../published/linearity.toml")),
    ("published/sgns.toml", include_str!("../published/sgns.toml")),
    ("published/sparsegrad.toml", include_str!("../published/sparsegrad.toml")),
    ("published/triggers.toml", include_str!("../published/triggers.toml")),
];

/// A number of a paper.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// The paper.
    pub paper: String,
    /// Its table.
    pub table: String,
    /// What the table shows.
    pub about: String,
    /// The row's name there.
    pub row: String,
    /// The column's name there.
    pub column: String,
    /// The metric of ours that is the same quantity.
    pub metric: String,
    /// The labels that a record of ours must have.
    pub place: BTreeMap<String, Label>,
    /// The number.
    pub value: f64,
    /// What stands behind its ±, where there is one.
    pub spread: Option<f64>,
    /// How far ours may be from it without contradicting it, as the file says for the whole table.
    pub tolerance: Option<f64>,
    /// Why numbers of other presets than `paper` are not to be judged, such as another corpus; shown they are.
    pub unless_paper: Option<String>,
    /// How a user gets a number of ours.
    pub how: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    paper: String,
    table: Vec<PaperTable>,
    #[serde(default)]
    neighbours: Vec<PaperNeighbours>,
}

/// The nearest words of a word that a paper prints.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaperNeighbours {
    /// The table, or the image of one.
    pub table: String,
    /// The word.
    pub word: String,
    /// The method, as the paper calls it.
    pub method: String,
    /// The neighbours, nearest first.
    pub neighbours: Vec<String>,
    /// Their cosines.
    pub cosines: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PaperTable {
    name: String,
    about: String,
    experiment: String,
    metric: String,
    #[serde(default, rename = "where")]
    place: BTreeMap<String, Label>,
    tolerance: Option<f64>,
    unless_paper: Option<String>,
    how: String,
    columns: Vec<Column>,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Column {
    name: String,
    #[serde(default, rename = "where")]
    place: BTreeMap<String, Label>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    #[serde(default, rename = "where")]
    place: BTreeMap<String, Label>,
    values: Vec<f64>,
    #[serde(default)]
    spread: Vec<f64>,
}

/// The published numbers that an experiment answers.
///
/// # Errors
/// A file that contradicts itself: those of this version do not.
pub fn published(experiment: &str) -> Result<Vec<Published>> {
    of_files(|file| numbers(file, experiment))
}

/// The nearest words that papers print.
///
/// # Errors
/// Those of [`published`].
pub fn neighbours() -> Result<Vec<PaperNeighbours>> {
    of_files(|file| {
        for one in &file.neighbours {
            let (n, cosines) = (one.neighbours.len(), one.cosines.len());
            ensure!(n == cosines, "{}: {n} neighbours, {cosines} cosines", one.word);
        }
        Ok(file.neighbours)
    })
}

/// What `take` takes of each file, or which one is wrong.
fn of_files<T>(take: impl Fn(File) -> Result<Vec<T>>) -> Result<Vec<T>> {
    let mut all = Vec::new();
    for (path, text) in FILES {
        let taken = toml::from_str(text).map_err(Into::into).and_then(&take);
        all.extend(taken.with_context(|| format!("crates/sixfold-lab/{path}"))?);
    }
    Ok(all)
}

fn numbers(file: File, experiment: &str) -> Result<Vec<Published>> {
    let mut all = Vec::new();
    for table in file.table.iter().filter(|table| table.experiment == experiment) {
        for row in &table.rows {
            let (n, columns) = (row.values.len(), table.columns.len());
            let name = format!("{}, {}", table.name, row.name);
            ensure!(n == columns, "{name}: {n} values in {columns} columns");
            let spreads = row.spread.len();
            ensure!(spreads == 0 || spreads == n, "{name}: {spreads} spreads of {n} values");
            for (number, column) in table.columns.iter().enumerate() {
                let places = [&table.place, &row.place, &column.place];
                all.push(Published {
                    paper: file.paper.clone(),
                    table: table.name.clone(),
                    about: table.about.clone(),
                    row: row.name.clone(),
                    column: column.name.clone(),
                    metric: table.metric.clone(),
                    place: places.into_iter().flat_map(Clone::clone).collect(),
                    value: row.values[number],
                    spread: row.spread.get(number).copied(),
                    tolerance: table.tolerance,
                    unless_paper: table.unless_paper.clone(),
                    how: table.how.clone(),
                });
            }
        }
    }
    Ok(all)
}

impl Published {
    /// Our record of the same quantity.
    pub fn ours<'a>(&self, results: &'a Results) -> Option<&'a Metric> {
        results.summary().find(|metric| {
            metric.name == self.metric
                && self.place.iter().all(|(name, value)| same(metric.place.get(name), value))
        })
    }
}

/// Numbers are compared as numbers: 2 is 2.0.
fn same(found: Option<&Label>, wanted: &Label) -> bool {
    found.is_some_and(|found| match (found.number(), wanted.number()) {
        (Some(a), Some(b)) => (a - b).abs() < 1e-12,
        _ => found == wanted,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_this_version_are_sound() {
        let table_1 = published("linearity/finetune").unwrap();
        assert_eq!(table_1.len(), 7 * 4);
        let one = table_1.iter().find(|one| one.row == "GPT2-XL" && one.column == "CB").unwrap();
        assert_eq!((one.value, one.spread), (0.028, Some(0.019)));
        assert_eq!(one.place["task"], Label::Text("cb".to_owned()));
        // The means of Table 2 are those of its rows.
        let table_2 = published("linearity/pretrain").unwrap();
        for row in ["650M", "150M + MSE 2.0"] {
            let cells: Vec<f64> = table_2
                .iter()
                .filter(|one| one.table == "Table 2" && one.row == row)
                .map(|one| one.value)
                .collect();
            let (mean, rest) = cells.split_last().unwrap();
            let found = rest.iter().sum::<f64>() / rest.len() as f64;
            assert!((found - mean).abs() < 0.006, "{row}: {found} and {mean}");
        }
        assert!(published("geometry/profile").unwrap().is_empty());
        // Riemannian optimisation, d = 500, on WordSim-353.
        let table_2 = published("sgns/similarity").unwrap();
        assert_eq!(table_2.len(), 9 * 5);
        let one =
            table_2.iter().find(|one| one.row == "RO, d = 500" && one.column == "wordsim-full");
        assert_eq!(one.map(|one| one.value), Some(0.715));
        assert_eq!(published("sgns/objective").unwrap().len(), 6);
        // The average that the paper's Table 9 prints for SparseGrad is that of its columns.
        let glue = published("sparsegrad/glue").unwrap();
        assert_eq!(glue.len(), 3 * 4 * 8);
        let of = |one: &&Published| one.table == "Table 9" && one.row == "SparseGrad";
        let sum: f64 = glue.iter().filter(of).map(|one| one.value).sum();
        assert!((sum / 8.0 - 82.6).abs() < 0.05, "{sum}");
        let gains = published("triggers/transfer").unwrap();
        assert_eq!(gains.iter().map(|one| one.value).collect::<Vec<_>>(), [0.093, 0.071]);
        assert!(neighbours().unwrap().iter().any(|one| one.word == "five" && one.method == "RO"));
    }

    fn parse(text: &str, experiment: &str) -> Result<Vec<Published>> {
        numbers(toml::from_str(text)?, experiment)
    }

    #[test]
    fn ours_is_found_by_its_labels_and_judged_by_both_spreads_or_the_tolerance() {
        let text = "paper = \"P\"\n[[table]]\nname = \"T\"\nabout = \"\"\nexperiment = \"a/b\"\n\
                    metric = \"m\"\nhow = \"\"\ncolumns = [{ name = \"c\", where = { k = 2 } }]\n\
                    rows = [{ name = \"r\", values = [1.0], spread = [0.1] }]\n";
        let published = parse(text, "a/b").unwrap().remove(0);
        let results = |value: f64, ci95| Results {
            schema: 1,
            experiment: "a/b".to_owned(),
            preset: "small".to_owned(),
            status: "complete".to_owned(),
            config_hash: String::new(),
            seeds: vec![0],
            metrics: vec![
                Metric::new("m", 9.0).at("k", 1_usize),
                Metric::new("m", value).at("k", 2.0).ci95(ci95),
            ],
            notes: Vec::new(),
        };
        for (value, ci95, expected) in [
            (1.05, None, "reproduced"),
            (1.2, None, "differs"),
            // .2 apart: √(.1² + .15²) is .18, √(.1² + .2²) is .22.
            (1.2, Some([1.05, 1.35]), "differs"),
            (1.2, Some([1.0, 1.4]), "reproduced"),
            (f64::NAN, None, "not comparable"),
        ] {
            let runs = [results(value, ci95)];
            let (ours, verdict) = published.judge(&runs);
            assert!(ours.is_some());
            assert_eq!(verdict.name(), expected, "{value}: {verdict}");
        }
        let tolerant = Published { tolerance: Some(0.25), ..published.clone() };
        assert_eq!(tolerant.verdict(&Metric::new("m", 1.2)).name(), "within tolerance");
        assert_eq!(tolerant.verdict(&Metric::new("m", 1.3)).name(), "differs");
        let without = Published { spread: None, ..published };
        assert_eq!(without.verdict(&Metric::new("m", 1.0)).name(), "not comparable");
        assert!(!without.judge(&[]).1.is_judged());
        // A run of another corpus is shown, and not judged.
        let runs = [results(1.0, None)];
        let other = Published { unless_paper: Some("another corpus".to_owned()), ..tolerant };
        let (ours, verdict) = other.judge(&runs);
        assert!(ours.is_some());
        assert_eq!(verdict, Verdict::NotComparable("another corpus".to_owned()));
        let paper = [Results { preset: "paper".to_owned(), ..runs[0].clone() }];
        assert_eq!(other.judge(&paper).1.name(), "reproduced");
    }

    #[test]
    fn rows_of_another_length_are_refused() {
        let text = "paper = \"P\"\n[[table]]\nname = \"T\"\nabout = \"\"\nexperiment = \"a/b\"\n\
                    metric = \"m\"\nhow = \"\"\ncolumns = [{ name = \"c\" }]\n\
                    rows = [{ name = \"r\", values = [1.0, 2.0] }]\n";
        let error = parse(text, "a/b").unwrap_err().to_string();
        assert!(error.contains("T, r: 2 values in 1 columns"), "{error}");
    }
}
