//! Whole runs with made-up numbers: files, schema, seeds, resume, disks that refuse.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::interrupt::{inputs, start};

struct Run {
    code: i32,
    stdout: String,
    stderr: String,
    out: PathBuf,
}

/// Runs `linearity/profile` on made-up inputs below `dir`, into `dir/run`.
fn run(dir: &Path, more: &[&str], variables: &[(&str, &str)]) -> Run {
    let inputs = inputs(dir, &["stories", "minilm"]);
    let out = dir.join("run");
    let out_text = out.display().to_string();
    let mut arguments = vec!["run", "linearity/profile", &inputs[0], &inputs[1], "--no-progress"];
    if !more.contains(&"--out") {
        arguments.extend(["--out", &out_text]);
    }
    arguments.extend(more);
    let output = start(&arguments, variables).wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    // The harness of the child says how many tests it runs before the test begins.
    let stdout = text(output.stdout);
    let stdout = stdout.split_once("running 1 test\n").map_or("", |(_, own)| own).to_owned();
    Run { code: output.status.code().unwrap(), stdout, stderr: text(output.stderr), out }
}

fn json(path: PathBuf) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn a_run_leaves_every_file_of_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    let run = run(dir.path(), &["--json"], &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for name in [
        "config.toml",
        "env.json",
        "status.json",
        "results.json",
        "report.md",
        "report.html",
        "tables/summary.csv",
        "tables/layers.csv",
        "figures/linearity.svg",
    ] {
        assert!(run.out.join(name).is_file(), "{name}");
    }
    let results = json(run.out.join("results.json"));
    assert_eq!(run.stdout, std::fs::read_to_string(run.out.join("results.json")).unwrap());
    let keys: Vec<&String> = results.as_object().unwrap().keys().collect();
    let expected =
        ["schema", "experiment", "preset", "status", "config_hash", "seeds", "metrics", "notes"];
    assert_eq!(keys, expected);
    assert_eq!(results["schema"], 1);
    assert_eq!(results["seeds"], serde_json::json!([0]));
    for metric in results["metrics"].as_array().unwrap() {
        let keys: Vec<&String> = metric.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["name", "where", "value", "std", "n", "ci95", "unit", "better"]);
        let keys: Vec<&String> = metric["where"].as_object().unwrap().keys().collect();
        assert_eq!(keys, ["model", "layer", "filter"]);
        assert!(metric["where"]["layer"].is_u64() && metric["n"] == 1 && metric["std"].is_null());
    }
    let environment = json(run.out.join("env.json"));
    let command = environment["command"].as_str().unwrap();
    assert!(command.starts_with("cargo xtask experiment run linearity/profile --preset smoke"));
    assert!(environment["wall_seconds"].is_number() && environment["rustc"].is_string());
    assert_eq!(json(run.out.join("status.json"))["status"], "complete");
    let html = std::fs::read_to_string(run.out.join("report.html")).unwrap();
    let links = html.replace("http://www.w3.org/2000/svg", "");
    for outside in ["<script src", "<link", "http://", "https://", "src=", "@import", "url("] {
        assert!(!links.contains(outside), "{outside} in a page that must need nothing");
    }
}

#[test]
fn the_markdown_report_reads_well() {
    let dir = tempfile::tempdir().unwrap();
    let run = run(dir.path(), &[], &[]);
    let report = std::fs::read_to_string(run.out.join("report.md")).unwrap();
    let report = report.replace(&dir.path().display().to_string(), "DIR");
    // What depends on the machine and the day is left to the tests of its own.
    let (report, _) = report.split_once("## Environment").unwrap();
    let mut lines: Vec<&str> = report.lines().collect();
    assert!(lines[2].starts_with("`linearity/profile`, linearity of each block; preset smoke"));
    lines.remove(2);
    insta::assert_snapshot!("report_md", lines.join("\n"));
    assert!(run.stdout.contains("stories") && run.stdout.contains("The blocks of stories are"));
}

#[test]
fn a_run_directory_is_not_overwritten_by_chance() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(run(dir.path(), &[], &[]).code, 0);
    let again = run(dir.path(), &[], &[]);
    assert_eq!(again.code, 2);
    assert!(again.stderr.contains("holds a run: go on with --resume, or replace it with --force"));
    std::fs::write(again.out.join("mine.txt"), "kept").unwrap();
    assert_eq!(run(dir.path(), &["--force"], &[]).code, 0);
    assert!(again.out.join("mine.txt").is_file(), "--force removes what a run wrote, no more");

    let other = run(dir.path(), &["text.max_tokens=99", "--resume"], &[]);
    assert_eq!(other.code, 2);
    assert!(other.stderr.contains("is a run of another config"), "{}", other.stderr);
    let complete = run(dir.path(), &["--resume"], &[]);
    assert_eq!(complete.code, 0);
    assert!(complete.stderr.contains("is complete already"));

    let foreign = dir.path().join("foreign");
    std::fs::create_dir(&foreign).unwrap();
    std::fs::write(foreign.join("thesis.tex"), "").unwrap();
    let refused = run(dir.path(), &["--force", "--out", foreign.to_str().unwrap()], &[]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(foreign.join("thesis.tex").is_file());
}

#[test]
fn a_failure_is_kept_with_its_reason() {
    let dir = tempfile::tempdir().unwrap();
    let failed = run(dir.path(), &[], &[("SIXFOLD_TEST_FAIL", "1")]);
    assert_eq!((failed.code, failed.stderr.as_str()), (1, "error: made to fail\n"));
    let status = json(failed.out.join("status.json"));
    assert_eq!(status["status"], "failed");
    assert_eq!(status["reason"], "made to fail");
    assert_eq!(json(failed.out.join("results.json"))["status"], "failed");
    // What failed can be gone on with.
    assert_eq!(run(dir.path(), &["--resume"], &[]).code, 0);
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let blocked = dir.path().join("file");
    std::fs::write(&blocked, "").unwrap();
    let out = blocked.join("run").display().to_string();
    let failed = run(dir.path(), &["--out", &out], &[]);
    assert_eq!(failed.code, 1);
    assert!(failed.stderr.starts_with("error: cannot create the directory"), "{}", failed.stderr);
    assert!(failed.stderr.contains(&out));

    // A folder in the place of a file: the rename fails, the folder and nothing else stays.
    let target = dir.path().join("taken");
    std::fs::create_dir_all(target.join("inside")).unwrap();
    let error = sixfold_lab::atomic_write(&target, "text").unwrap_err();
    assert!(sixfold_lab::one_line(&error).contains(&target.display().to_string()));
    let left = std::fs::read_dir(dir.path()).unwrap().flatten();
    assert!(left.into_iter().all(|e| !e.file_name().to_string_lossy().starts_with(".tmp-")));
}

#[test]
fn a_write_is_whole_or_absent() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.json");
    sixfold_lab::atomic_write(&path, "old").unwrap();
    let texts: Vec<String> = (0..8).map(|n| n.to_string().repeat(50_000)).collect();
    std::thread::scope(|scope| {
        for text in &texts {
            let path = &path;
            scope.spawn(move || sixfold_lab::atomic_write(path, text).unwrap());
        }
        for _ in 0..200 {
            let read = std::fs::read_to_string(&path).unwrap();
            assert!(read == "old" || texts.contains(&read), "a part of a file was seen");
        }
    });
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn kept_results_give_the_same_report_and_several_stand_side_by_side() {
    let dir = tempfile::tempdir().unwrap();
    let run = run(dir.path(), &[], &[]);
    let page = run.out.join("report.html");
    let before = std::fs::read_to_string(&page).unwrap();
    std::fs::remove_file(&page).unwrap();
    let (out, side) = (run.out.display().to_string(), dir.path().join("side.html"));
    let arguments = ["report", &out, &out, "--out", side.to_str().unwrap()];
    let output = start(&arguments, &[]).wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(std::fs::read_to_string(&page).unwrap(), before);
    assert!(std::fs::read_to_string(side).unwrap().contains("2 runs side by side"));
}

#[test]
fn all_writes_an_index_and_goes_on_after_a_failure() {
    let dir = tempfile::tempdir().unwrap();
    let repo = dir.path().join("repo");
    for folder in ["fixtures/models/stories260k", "fixtures/text"] {
        std::fs::create_dir_all(repo.join(folder)).unwrap();
    }
    std::fs::write(repo.join("fixtures/models/stories260k/config.json"), "{}").unwrap();
    std::fs::write(repo.join("fixtures/text/shakespeare.txt"), "To be.").unwrap();
    let repo = repo.display().to_string();
    for (failing, code) in [(false, 0), (true, 1)] {
        let out = dir.path().join(format!("all-{failing}"));
        let mut variables = vec![("SIXFOLD_REPO", repo.as_str())];
        if failing {
            variables.push(("SIXFOLD_TEST_FAIL", "1"));
        }
        let arguments = ["all", "--no-progress", "--out", out.to_str().unwrap()];
        let output = start(&arguments, &variables).wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert!(stdout.contains("Anisotropy peaks") && stdout.contains("index.html"), "{stdout}");
        assert_eq!(stdout.contains("failed"), failing);
        assert!(out.join("geometry/profile/report.html").is_file());
        assert!(
            std::fs::read_to_string(out.join("index.html"))
                .unwrap()
                .contains("experiments complete")
        );
    }
}
