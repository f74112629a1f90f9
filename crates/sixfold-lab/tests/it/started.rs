//! Runs in a process of their own, and what they leave.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::interrupt::{signal, start};

pub(crate) const VARIABLES: [(&str, &str); 2] =
    [("SIXFOLD_REPO", REPO), ("SIXFOLD_TEST_REAL", "1")];
pub(crate) const REPO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// What a run left.
pub(crate) struct Run {
    pub(crate) results: Value,
    pub(crate) report: String,
    pub(crate) out: PathBuf,
}

/// Runs an experiment into `out`; it must succeed.
pub(crate) fn run(name: &str, out: &Path, more: &[&str]) -> Run {
    let out_text = out.display().to_string();
    let mut arguments = vec!["run", name, "--no-progress", "--out", &out_text];
    arguments.extend(more);
    let output = start(&arguments, &VARIABLES).wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let read = |file: &str| std::fs::read_to_string(out.join(file)).unwrap();
    Run {
        results: serde_json::from_str(&read("results.json")).unwrap(),
        report: read("report.md"),
        out: out.to_owned(),
    }
}

impl Run {
    /// Records called `name` whose labels are as given; `null` for one that is absent.
    pub(crate) fn named(&self, name: &str, place: &[(&str, Value)]) -> Vec<&Value> {
        let metrics = self.results["metrics"].as_array().unwrap().iter();
        metrics
            .filter(|metric| {
                metric["name"] == name
                    && place.iter().all(|(label, value)| metric["where"][*label] == *value)
            })
            .collect()
    }

    pub(crate) fn value(&self, name: &str, place: &[(&str, Value)]) -> f64 {
        let found = self.named(name, place);
        assert_eq!(found.len(), 1, "{name} at {place:?}");
        found[0]["value"].as_f64().unwrap()
    }
}

/// Starts an experiment into `out`, interrupts it once `ready`, and waits for its end.
pub(crate) fn interrupt(name: &str, out: &Path, more: &[&str], ready: impl Fn() -> bool) {
    let out_text = out.display().to_string();
    let mut arguments = vec!["run", name, "--no-progress", "--out", &out_text];
    arguments.extend(more);
    let mut child = start(&arguments, &VARIABLES);
    let begin = Instant::now();
    while !ready() {
        assert!(begin.elapsed() < Duration::from_secs(20), "{name} does not come so far");
        std::thread::sleep(Duration::from_millis(2));
    }
    signal(&child, "-INT");
    let begin = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if begin.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
            panic!("{name} goes on for a minute after the signal");
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    assert_eq!(status.code(), Some(130));
}

/// Both have the same records.
pub(crate) fn assert_same(found: &Run, expected: &Run) {
    let [found, expected] = [found, expected].map(|run| run.results["metrics"].as_array().unwrap());
    assert_eq!(found.len(), expected.len());
    for (a, b) in found.iter().zip(expected) {
        assert_eq!((&a["name"], &a["where"]), (&b["name"], &b["where"]));
        assert_eq!(a["value"].to_string(), b["value"].to_string(), "{} {}", a["name"], a["where"]);
    }
}
