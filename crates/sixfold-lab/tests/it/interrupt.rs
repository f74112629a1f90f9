//! Signals: the process under test is this test binary, started once more.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::synthetic::lab;

/// Not a test of its own: the child of the tests below, which set the variable.
#[test]
fn child() {
    if let Some(arguments) = std::env::var_os("SIXFOLD_TEST_CHILD") {
        let arguments = arguments.into_string().unwrap();
        let code = lab(&arguments.split('\n').collect::<Vec<_>>());
        // The harness would turn the code into its own.
        let codes = [0, 1, 2, 3, 130, 138, 143];
        let code = codes.into_iter().find(|n| code == (*n).into()).unwrap_or(99);
        std::process::exit(i32::from(code));
    }
}

pub(crate) fn start(arguments: &[&str], variables: &[(&str, &str)]) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "interrupt::child", "--nocapture"])
        .env("SIXFOLD_TEST_CHILD", arguments.join("\n"))
        .envs(variables.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// A model directory and a text, so that the inputs of a run are there.
pub(crate) fn inputs(dir: &Path, models: &[&str]) -> Vec<String> {
    for model in models {
        std::fs::create_dir_all(dir.join(model)).unwrap();
        std::fs::write(dir.join(model).join("config.json"), "{}").unwrap();
    }
    std::fs::write(dir.join("a.txt"), "Some text.\n").unwrap();
    let models: Vec<String> =
        models.iter().map(|model| format!("{:?}", dir.join(model).display().to_string())).collect();
    vec![
        format!("models=[{}]", models.join(",")),
        format!("text.path={}", dir.join("a.txt").display()),
    ]
}

fn wait_for(path: &Path) {
    let start = Instant::now();
    while !path.exists() {
        assert!(start.elapsed() < Duration::from_secs(20), "{} does not appear", path.display());
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

pub(crate) fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

#[test]
fn the_first_signal_keeps_what_there_is_and_resume_goes_on() {
    for (name, number, code) in
        [("-INT", "SIGINT", 130), ("-TERM", "SIGTERM", 143), ("-USR1", "SIGUSR1", 138)]
    {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("run");
        let out_text = out.display().to_string();
        let inputs = inputs(dir.path(), &["first", "second"]);
        let mut arguments = vec!["run", "linearity/profile", &inputs[0], &inputs[1]];
        arguments.extend(["--no-progress", "--out", &out_text]);
        let child = start(&arguments, &[("SIXFOLD_TEST_SLOW", "1")]);
        // The first model is done, the second one is under way.
        wait_for(&out.join("cells"));
        std::thread::sleep(Duration::from_millis(60));
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains(&format!("error: interrupted by {number}")), "{told}");

        let status = json(&out.join("status.json"));
        assert_eq!(status["status"], "interrupted");
        let results = json(&out.join("results.json"));
        assert_eq!(results["status"], "interrupted");
        let metrics = results["metrics"].as_array().unwrap();
        assert!(!metrics.is_empty() && metrics.iter().all(|m| m["where"]["model"] == "first"));
        for entry in std::fs::read_dir(&out).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(!name.starts_with(".tmp-"), "a temporary file is left: {name}");
        }

        arguments.push("--resume");
        let output = start(&arguments, &[]).wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!(json(&out.join("status.json"))["status"], "complete");
        let all = json(&out.join("results.json"))["metrics"].as_array().unwrap().len();
        assert_eq!(all, 2 * metrics.len());
    }
}

#[test]
fn the_second_signal_ends_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    let out_text = out.display().to_string();
    let inputs = inputs(dir.path(), &["first"]);
    let mut arguments = vec!["run", "linearity/profile", &inputs[0], &inputs[1]];
    arguments.extend(["--no-progress", "--out", &out_text]);
    let child = start(&arguments, &[("SIXFOLD_TEST_SLOW", "1")]);
    wait_for(&out.join("env.json"));
    signal(&child, "-INT");
    signal(&child, "-INT");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(json(&out.join("status.json"))["status"].is_string(), "whole, whatever it says");
}
