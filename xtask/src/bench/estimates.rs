//! Criterion's estimates: `<home>/<group>/<function>/<value>/new/{benchmark,estimates}.json`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{fs, io};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::places::read;

/// A time in nanoseconds with its confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Time {
    pub(super) value: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// What criterion found for one benchmark.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    /// Criterion's full name, `eigh/faer/64`.
    pub(super) id: String,
    pub(super) mean: Time,
    pub(super) median: Time,
    /// How much an iteration does, and of what: `elements`, `bytes` or `bits`.
    pub(super) throughput: Option<(u64, &'static str)>,
}

/// Every `new/estimates.json` below `home`, and when it was written.
pub(super) fn files(home: &Path) -> Result<BTreeMap<PathBuf, SystemTime>> {
    let mut files = BTreeMap::new();
    collect(home, &mut files).with_context(|| format!("cannot list {}", home.display()))?;
    Ok(files)
}

fn collect(dir: &Path, files: &mut BTreeMap<PathBuf, SystemTime>) -> io::Result<()> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.ends_with("new/estimates.json") {
            files.insert(path.clone(), fs::metadata(&path)?.modified()?);
        }
    }
    Ok(())
}

/// The estimates that are newer than in `before`: criterion leaves those of other runs where they
/// are.
pub(super) fn changed(home: &Path, before: &BTreeMap<PathBuf, SystemTime>) -> Result<Vec<Found>> {
    let now = files(home)?;
    let new = now.iter().filter(|(path, written)| before.get(*path) != Some(*written));
    let mut found = new.map(|(path, _)| of(path)).collect::<Result<Vec<_>>>()?;
    found.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(found)
}

fn of(path: &Path) -> Result<Found> {
    let benchmark = path.with_file_name("benchmark.json");
    let json = |path: &Path| -> Result<Value> {
        serde_json::from_str(&read(path)?).with_context(|| format!("{}", path.display()))
    };
    let estimates = json(path)?;
    let time = |name: &str| time(&estimates[name]).with_context(|| missing(path, name));
    let about = json(&benchmark)?;
    let id = about["full_id"].as_str().with_context(|| missing(&benchmark, "full_id"))?;
    Ok(Found {
        id: id.to_owned(),
        mean: time("mean")?,
        median: time("median")?,
        throughput: throughput(&about["throughput"]),
    })
}

fn missing(path: &Path, key: &str) -> String {
    format!("{}: `{key}` is not as criterion 0.8 writes it", path.display())
}

fn time(estimate: &Value) -> Option<Time> {
    let interval = &estimate["confidence_interval"];
    Some(Time {
        value: estimate["point_estimate"].as_f64()?,
        low: interval["lower_bound"].as_f64()?,
        high: interval["upper_bound"].as_f64()?,
    })
}

fn throughput(value: &Value) -> Option<(u64, &'static str)> {
    let both = &value["ElementsAndBytes"]["elements"];
    let kinds = [
        (&value["Elements"], "elements"),
        (both, "elements"),
        (&value["Bytes"], "bytes"),
        (&value["BytesDecimal"], "bytes"),
        (&value["Bits"], "bits"),
    ];
    kinds.into_iter().find_map(|(number, unit)| Some((number.as_u64()?, unit)))
}
