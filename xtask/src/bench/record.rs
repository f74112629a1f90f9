//! Kept estimates: `benches/record/<bench>.csv`, one row a benchmark and run.

use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{Context as _, Result, ensure};

use super::estimates::{Found, Time};
use crate::machine::Origin;
use crate::places::atomic_write;

const HEADER: [&str; 16] = [
    "date",
    "name",
    "bench",
    "benchmark",
    "mean_ns",
    "mean_low_ns",
    "mean_high_ns",
    "median_ns",
    "median_low_ns",
    "median_high_ns",
    "throughput",
    "unit",
    "cpu",
    "cores",
    "commit",
    "dirty",
];

/// A benchmark in one run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) name: String,
    /// The file of the bench, `linalg`.
    pub(super) bench: String,
    pub(super) benchmark: String,
    mean: Time,
    pub(super) median: Time,
    throughput: String,
    unit: String,
    pub(super) origin: Origin,
}

impl Row {
    pub(super) fn new(name: &str, bench: &str, found: Found, origin: &Origin) -> Self {
        let (throughput, unit) = found
            .throughput
            .map_or_else(Default::default, |(number, unit)| (number.to_string(), unit.to_owned()));
        Self {
            name: name.to_owned(),
            bench: bench.to_owned(),
            benchmark: found.id,
            mean: found.mean,
            median: found.median,
            throughput,
            unit,
            origin: origin.clone(),
        }
    }

    fn fields(&self) -> [String; HEADER.len()] {
        let ns = |time: f64| format!("{time:.3}");
        let (mean, median, origin) = (self.mean, self.median, &self.origin);
        [
            origin.date.clone(),
            self.name.clone(),
            self.bench.clone(),
            self.benchmark.clone(),
            ns(mean.value),
            ns(mean.low),
            ns(mean.high),
            ns(median.value),
            ns(median.low),
            ns(median.high),
            self.throughput.clone(),
            self.unit.clone(),
            origin.cpu.clone(),
            origin.cores.to_string(),
            origin.commit.clone(),
            origin.dirty.to_string(),
        ]
    }

    fn read(fields: &csv::StringRecord) -> Result<Self> {
        let text = |i: usize| fields.get(i).unwrap_or_default().to_owned();
        let number = |i: usize| -> Result<f64> {
            text(i).parse().with_context(|| format!("{} is `{}`", HEADER[i], text(i)))
        };
        let time = |i: usize| -> Result<Time> {
            Ok(Time { value: number(i)?, low: number(i + 1)?, high: number(i + 2)? })
        };
        Ok(Self {
            name: text(1),
            bench: text(2),
            benchmark: text(3),
            mean: time(4)?,
            median: time(7)?,
            throughput: text(10),
            unit: text(11),
            origin: Origin {
                date: text(0),
                cpu: text(12),
                cores: text(13).parse().with_context(|| format!("cores is `{}`", text(13)))?,
                commit: text(14),
                dirty: text(15) == "true",
            },
        })
    }
}

/// The folder of kept estimates.
pub(super) struct Record(PathBuf);

impl Record {
    pub(super) fn new(dir: PathBuf) -> Self {
        Self(dir)
    }

    /// Adds rows at the end of a bench's file; what stands there is kept as it is.
    pub(super) fn append(&self, bench: &str, rows: &[Row]) -> Result<PathBuf> {
        let path = self.0.join(format!("{bench}.csv"));
        let mut bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            bytes => bytes.with_context(|| format!("cannot read {}", path.display()))?,
        };
        let new = bytes.is_empty();
        if !new {
            read(&path)?; // rows of another layout would be lost among these
        }
        let mut writer = csv::Writer::from_writer(&mut bytes);
        if new {
            writer.write_record(HEADER)?;
        }
        for row in rows {
            writer.write_record(row.fields())?;
        }
        writer.flush()?;
        drop(writer);
        atomic_write(&path, &bytes)?;
        Ok(path)
    }

    /// The rows of a name, of each benchmark the last.
    pub(super) fn named(&self, name: &str) -> Result<Vec<Row>> {
        let mut last: Vec<Row> = Vec::new();
        for row in self.rows()?.into_iter().filter(|row| row.name == name) {
            let same =
                |other: &&mut Row| (&other.bench, &other.benchmark) == (&row.bench, &row.benchmark);
            match last.iter_mut().find(same) {
                Some(other) => *other = row,
                None => last.push(row),
            }
        }
        Ok(last)
    }

    /// Every name, in the order of their first rows.
    pub(super) fn names(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for row in self.rows()? {
            if !names.contains(&row.name) {
                names.push(row.name);
            }
        }
        Ok(names)
    }

    fn rows(&self) -> Result<Vec<Row>> {
        let entries = match fs::read_dir(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.with_context(|| format!("cannot list {}", self.0.display()))?,
        };
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "csv") {
                paths.push(path);
            }
        }
        paths.sort();
        let mut rows = Vec::new();
        for path in paths {
            rows.extend(read(&path)?);
        }
        Ok(rows)
    }
}

fn read(path: &Path) -> Result<Vec<Row>> {
    let mut reader =
        csv::Reader::from_path(path).with_context(|| format!("cannot read {}", path.display()))?;
    let header = reader.headers().with_context(|| format!("{}", path.display()))?;
    ensure!(
        header == HEADER.as_slice(),
        "{}: the header is not `{}`",
        path.display(),
        HEADER.join(",")
    );
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.with_context(|| format!("{}", path.display()))?;
        let line = record.position().map_or(0, csv::Position::line);
        rows.push(Row::read(&record).with_context(|| format!("{}:{line}", path.display()))?);
    }
    Ok(rows)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::places::{Scratch, read as text_of};

    /// A row whose interval is 10 % to each side.
    pub(in super::super) fn row(name: &str, bench: &str, benchmark: &str, ns: f64) -> Row {
        let time = Time { value: ns, low: 0.9 * ns, high: 1.1 * ns };
        let found = Found {
            id: benchmark.to_owned(),
            mean: time,
            median: time,
            throughput: Some((4096, "elements")),
        };
        let origin = Origin {
            date: "2026-11-27".to_owned(),
            cpu: "A processor".to_owned(),
            cores: 2,
            commit: "abc1234".to_owned(),
            dirty: false,
        };
        Row::new(name, bench, found, &origin)
    }

    #[test]
    fn rows_come_back_and_the_last_of_a_name_counts() {
        let scratch = Scratch::new("record").unwrap();
        let record = Record::new(scratch.path().join("record"));
        assert_eq!(record.names().unwrap(), Vec::<String>::new());
        let (first, again) = (
            row("a", "linalg", "svd, \"thin\"/64", 1e3),
            row("a", "linalg", "svd, \"thin\"/64", 2e3),
        );
        let other = row("b", "linalg", "eigh/64", 3.0);
        record.append("linalg", &[first.clone(), other]).unwrap();
        let before = text_of(&scratch.path().join("record/linalg.csv")).unwrap();
        record.append("linalg", std::slice::from_ref(&again)).unwrap();
        record.append("model", &[row("a", "model", "taps", 5.0)]).unwrap();
        assert_eq!(record.names().unwrap(), ["a", "b"]);
        let rows = record.named("a").unwrap();
        assert_eq!(rows, [again, row("a", "model", "taps", 5.0)]);
        assert!(!rows.contains(&first));
        assert!(text_of(&scratch.path().join("record/linalg.csv")).unwrap().starts_with(&before));
    }

    #[test]
    fn files_of_another_layout_are_named_and_left_alone() {
        let scratch = Scratch::new("record").unwrap();
        let record = Record::new(scratch.path().to_owned());
        let path = scratch.path().join("linalg.csv");
        fs::write(&path, "a,b\n1,2\n").unwrap();
        let error = record.append("linalg", &[row("a", "linalg", "svd", 1.0)]).unwrap_err();
        assert!(format!("{error:#}").contains("linalg.csv: the header is not `date,"), "{error:#}");
        assert_eq!(text_of(&path).unwrap(), "a,b\n1,2\n");

        fs::remove_file(&path).unwrap();
        record.append("linalg", &[row("a", "linalg", "svd", 1.0)]).unwrap();
        let wrong = text_of(&path).unwrap().replace("1.100", "fast");
        fs::write(&path, wrong).unwrap();
        let error = format!("{:#}", record.named("a").unwrap_err());
        assert!(error.contains("linalg.csv:2: mean_high_ns is `fast`"), "{error}");
    }
}
