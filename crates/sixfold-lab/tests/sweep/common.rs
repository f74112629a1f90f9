//! A sweep of a small training of word vectors, and reading what it left.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Word vectors of a few hundred words, a second on one core.
pub(crate) const QUICK: [&str; 4] = ["sgns/train", "min_count=60", "dim=8", "iterations=3"];

/// The binary in an empty place.
pub(crate) fn lab(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sixfold-lab"));
    command.args(arguments).current_dir(dir).env_remove("SIXFOLD_DATA");
    command
}

/// Runs the binary to its end.
pub(crate) fn ran(dir: &Path, arguments: &[&str]) -> Output {
    lab(dir, arguments).output().unwrap()
}

/// `sweep` of the quick training with more arguments, into `dir/out`.
pub(crate) fn quick(more: &[&str]) -> Vec<String> {
    let words = ["sweep"].iter().chain(&QUICK[..1]).chain(&QUICK[1..2]).chain(more);
    words.map(|word| (*word).to_owned()).chain(["--out".to_owned(), "out".to_owned()]).collect()
}

pub(crate) fn texts(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

pub(crate) fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The lines of `sweep.jsonl`.
pub(crate) fn rows(sweep: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(sweep.join("sweep.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(crate) fn directory(row: &Value) -> &str {
    row["directory"].as_str().unwrap()
}

/// The status of every cell; none where it has no run directory.
pub(crate) fn statuses(sweep: &Path) -> Vec<Option<String>> {
    let status = |row: &Value| {
        let path = sweep.join(directory(row)).join("status.json");
        path.is_file().then(|| json(&path)["status"].as_str().unwrap().to_owned())
    };
    rows(sweep).iter().map(status).collect()
}

/// The numbers of a run that do not depend on the clock, as they stand in the file.
pub(crate) fn numbers(run: &Path) -> Vec<String> {
    let results = json(&run.join("results.json"));
    let metrics = results["metrics"].as_array().unwrap().iter();
    let timeless = metrics.filter(|metric| {
        !["tokens_per_second", "cpu_seconds"].contains(&metric["name"].as_str().unwrap())
    });
    timeless.map(Value::to_string).collect()
}

/// Waits until something holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < Duration::from_secs(240), "{what} does not come");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Sends a signal to a process.
pub(crate) fn signal(process: u32, name: &str) {
    let status = Command::new("kill").args([name, &process.to_string()]).status().unwrap();
    assert!(status.success());
}
