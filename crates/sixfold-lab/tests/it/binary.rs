//! The built binary: help, `show`, an error of each class.

use std::path::Path;
use std::process::{Command, Output};

fn lab(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sixfold-lab"))
        .args(arguments)
        .current_dir(dir)
        .env_remove("SIXFOLD_DATA")
        .env("SIXFOLD_REPO", "/nowhere")
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn error(arguments: &[&str]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let output = lab(dir.path(), arguments);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.lines().count(), 1, "one line: {text}");
    assert!(output.stdout.is_empty());
    let left = std::fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(left, 0, "an error before the run leaves nothing behind");
    let text = text.replace(&dir.path().display().to_string(), "DIR");
    format!("{} {text}", output.status.code().unwrap())
}

#[test]
fn help_shows_every_command_with_an_example() {
    let dir = tempfile::tempdir().unwrap();
    insta::assert_snapshot!("help", out(&lab(dir.path(), &["--help"])));
    insta::assert_snapshot!("help_run", out(&lab(dir.path(), &["run", "--help"])));
    for command in
        ["list", "show", "run", "all", "sweep", "report", "compare", "diff", "completions"]
    {
        let help = out(&lab(dir.path(), &[command, "--help"]));
        assert!(help.contains("Example: cargo xtask experiment"), "{command}: {help}");
    }
}

#[test]
fn show_prints_values_and_origins() {
    let dir = tempfile::tempdir().unwrap();
    let arguments = ["show", "linearity/profile", "--preset", "small", "text.max_tokens=512"];
    insta::assert_snapshot!("show", out(&lab(dir.path(), &arguments)));
}

#[test]
fn list_is_json_on_demand() {
    let dir = tempfile::tempdir().unwrap();
    let text = out(&lab(dir.path(), &["list", "--json"]));
    let list: serde_json::Value = serde_json::from_str(&text).unwrap();
    let names: Vec<_> = list.as_array().unwrap().iter().map(|e| e["name"].as_str()).collect();
    assert_eq!(
        names,
        [
            Some("geometry/manifolds"),
            Some("geometry/profile"),
            Some("geometry/training"),
            Some("linearity/finetune"),
            Some("linearity/microscope"),
            Some("linearity/pretrain"),
            Some("linearity/profile"),
            Some("linearity/replace"),
            Some("sgns/neighbours"),
            Some("sgns/objective"),
            Some("sgns/similarity"),
            Some("sgns/train"),
            Some("sparsegrad/ablation"),
            Some("sparsegrad/cost"),
            Some("sparsegrad/glue"),
            Some("sparsegrad/qa"),
            Some("tensor-train/compress"),
            Some("tensor-train/ctr"),
            Some("tensor-train/language-model"),
            Some("tensor-train/sentiment"),
            Some("tensor-train/translation"),
            Some("triggers/audit"),
            Some("triggers/defend"),
            Some("triggers/transfer")
        ]
    );
    assert!(out(&lab(dir.path(), &["list"])).contains("linearity/profile"));
    assert!(out(&lab(dir.path(), &["completions", "bash"])).contains("sixfold-lab"));
}

#[test]
fn errors_are_one_line_with_their_exit_code() {
    let run = |rest: &[&str]| error(&[&["run", "linearity/profile"], rest].concat());
    let lines = [
        run(&["text.max_token=512"]),
        run(&["max_tokens=512"]),
        run(&["nonsense=1"]),
        run(&["text.max_tokens=many"]),
        run(&["text.max_tokens=3", "filters=[]"]),
        run(&["filters=[\"no_frist\"]"]),
        run(&["models=3"]),
        run(&["models=[{dri=\"a\"}]"]),
        run(&["text.max_tokens"]),
        run(&["text.path={dta}/a.txt"]),
        run(&[]),
        run(&["--preset", "small"]),
        run(&["--resume", "DIR-that-is-not-there"]),
        error(&["run", "linearity/profil"]),
        error(&["report", "nowhere"]),
    ];
    insta::assert_snapshot!("errors", lines.concat());
    // The rest of this line depends on the features of the build.
    assert!(run(&["--device", "cdua"]).starts_with("2 error: --device: unknown device `cdua`"));
}

#[test]
fn a_dry_run_touches_nothing_and_names_what_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let output = lab(dir.path(), &["run", "linearity/profile", "--dry-run"]);
    assert_eq!(output.status.code(), Some(3));
    let text = out(&output);
    assert!(text.contains("# models[0]     MISSING") && text.contains("# config hash"), "{text}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_full_stdout_is_an_error_and_a_closed_one_is_not() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
    let Ok(full) = full else { return };
    let status = Command::new(env!("CARGO_BIN_EXE_sixfold-lab")).arg("list").stdout(full).status();
    assert_eq!(status.unwrap().code(), Some(1));
}

#[test]
fn compare_prints_published_numbers_and_fails_when_asked_to_be_strict() {
    let dir = tempfile::tempdir().unwrap();
    let text = out(&lab(dir.path(), &["compare", "linearity/finetune"]));
    assert!(
        text.contains("Table 1") && text.contains("OPT-125M") && text.contains("0.2170"),
        "{text}"
    );
    assert!(text.contains("To get one: cargo xtask experiment run"), "{text}");
    let none = out(&lab(dir.path(), &["compare", "linearity/profile"]));
    assert!(none.contains("No published number"), "{none}");
    let strict = lab(dir.path(), &["compare", "linearity/finetune", "--strict"]);
    assert_eq!(strict.status.code(), Some(4), "{strict:?}");
}

/// What `compare` prints of an experiment.
pub(crate) fn compared(name: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    out(&lab(dir.path(), &["compare", name]))
}
