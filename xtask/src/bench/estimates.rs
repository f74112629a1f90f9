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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::places::{Scratch, root};

    /// What `cargo bench -p sixfold-benches --bench linalg -- --quick` wrote, some of it.
    fn kept() -> PathBuf {
        root().join("xtask/tests/criterion")
    }

    #[test]
    fn criterions_own_files_are_read() {
        let found = changed(&kept(), &BTreeMap::new()).unwrap();
        let [moments, eigh] = &found[..] else { panic!("base/ is no estimate: {found:?}") };
        assert_eq!(moments.id, "moments/one/8192x384-f32");
        assert_eq!(moments.throughput, Some((8192, "elements")));
        assert_eq!(eigh.id, "sixfold/eigh/64");
        assert_eq!(eigh.throughput, None);
        let expected =
            Time { value: 1_249_403.164_062_5, low: 1_240_332.718_75, high: 1_258_473.609_375 };
        assert_eq!((eigh.mean, eigh.median), (expected, expected));
    }

    #[test]
    fn other_runs_are_left_out() {
        let scratch = Scratch::new("estimates").unwrap();
        assert_eq!(files(&scratch.path().join("none")).unwrap().len(), 0);
        for id in ["sixfold/eigh/64", "moments/one/8192x384-f32"] {
            let new = scratch.path().join(id).join("new");
            fs::create_dir_all(&new).unwrap();
            for file in ["benchmark.json", "estimates.json"] {
                fs::copy(kept().join(id).join("new").join(file), new.join(file)).unwrap();
            }
        }
        let before = files(scratch.path()).unwrap();
        assert_eq!(before.len(), 2);
        assert_eq!(changed(scratch.path(), &before).unwrap(), []);
        let again = scratch.path().join("sixfold/eigh/64/new/estimates.json");
        let written = before[&again] + Duration::from_millis(1);
        fs::File::options().write(true).open(&again).unwrap().set_modified(written).unwrap();
        let found = changed(scratch.path(), &before).unwrap();
        assert_eq!(found.iter().map(|found| &*found.id).collect::<Vec<_>>(), ["sixfold/eigh/64"]);

        fs::write(&again, r#"{"mean": {"point_estimate": 1.0}}"#).unwrap();
        let error = format!("{:#}", changed(scratch.path(), &before).unwrap_err());
        assert!(error.contains("estimates.json: `mean` is not as criterion"), "{error}");
    }

    #[test]
    fn every_throughput_of_criterion_is_known() {
        for (text, expected) in [
            (r#"{"Elements":3}"#, Some((3, "elements"))),
            (r#"{"ElementsAndBytes":{"elements":3,"bytes":9}}"#, Some((3, "elements"))),
            (r#"{"Bytes":4}"#, Some((4, "bytes"))),
            (r#"{"BytesDecimal":5}"#, Some((5, "bytes"))),
            (r#"{"Bits":6}"#, Some((6, "bits"))),
            ("null", None),
        ] {
            assert_eq!(throughput(&serde_json::from_str(text).unwrap()), expected, "{text}");
        }
    }
}
