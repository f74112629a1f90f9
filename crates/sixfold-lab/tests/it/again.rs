//! Runs that are looked at again: not made twice, set beside each other, handed to TensorBoard.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A repository with one commit.
fn repository(dir: &Path) -> PathBuf {
    let repo = dir.join("repo");
    std::fs::create_dir(&repo).unwrap();
    std::fs::write(repo.join("Cargo.lock"), "version = 4\n").unwrap();
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"];
        let status =
            Command::new("git").arg("-C").arg(&repo).args(identity).args(arguments).output();
        assert!(status.unwrap().status.success(), "git {arguments:?}");
    };
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "one"]);
    repo
}

fn lab(dir: &Path, repo: &Path, arguments: &[&str]) -> (String, String) {
    let output: Output = Command::new(env!("CARGO_BIN_EXE_sixfold-lab"))
        .args(arguments)
        .current_dir(dir)
        .env("SIXFOLD_REPO", repo)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{arguments:?}: {stderr}");
    (stdout, stderr)
}

const SMALL: [&str; 5] =
    ["run", "geometry/manifolds", "n=160", "repeats=1", "estimators=[\"two-nn\"]"];

fn runs(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir.join("runs/geometry/manifolds")).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn what_is_finished_is_not_run_twice_and_two_runs_can_be_compared() {
    let dir = tempfile::tempdir().unwrap();
    let repo = repository(dir.path());
    let run = |more: &[&str]| lab(dir.path(), &repo, &[&SMALL, more].concat());
    let (first, said) = run(&[]);
    assert!(!said.contains("has the same config"), "{said}");
    let (again, said) = run(&[]);
    assert!(said.contains("has the same config, code and inputs"), "{said}");
    assert_eq!(first, again);
    assert_eq!(runs(dir.path()).len(), 1);
    run(&["--force"]);
    assert_eq!(runs(dir.path()).len(), 2);
    // Another seed is another question, and a tree with changes may be other code.
    run(&["--seeds", "1"]);
    std::fs::write(repo.join("Cargo.lock"), "version = 5\n").unwrap();
    run(&[]);
    run(&[]);
    let all = runs(dir.path());
    assert_eq!(all.len(), 5);

    let environments: Vec<serde_json::Value> = all
        .iter()
        .map(|path| std::fs::read_to_string(path.join("env.json")).unwrap())
        .map(|text| serde_json::from_str(&text).unwrap())
        .collect();
    assert_eq!(environments.iter().filter(|one| one["git_dirty"] == true).count(), 2);
    assert!(
        environments
            .iter()
            .all(|one| one["git_diff_sha256"].is_null() != (one["git_dirty"] == true))
    );

    let dirs: Vec<&str> = all.iter().map(|path| path.to_str().unwrap()).collect();
    let same: Vec<&str> = dirs.iter().copied().filter(|dir| !dir.contains("-2")).collect();
    let (text, _) = lab(dir.path(), &repo, &["diff", same[0], same[0]]);
    assert!(text.contains("config: the same") && text.contains("and none differs"), "{text}");
    let other = all.iter().find(|path| {
        std::fs::read_to_string(path.join("results.json")).unwrap().contains("\"seeds\": [\n    1")
    });
    let other = other.unwrap().to_str().unwrap();
    let (text, _) = lab(dir.path(), &repo, &["diff", same[0], other]);
    assert!(text.contains("(seeds)") && text.contains("intrinsic_dimension"), "{text}");
    let (json, _) = lab(dir.path(), &repo, &["diff", same[0], other, "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(json["metrics"].as_array().unwrap().iter().any(|pair| pair["difference"] != 0.0));
}

#[test]
fn a_word_of_a_paper_finds_its_experiments() {
    let dir = tempfile::tempdir().unwrap();
    let (text, _) = lab(dir.path(), dir.path(), &["list", "tensor-train", "SENTIMENT"]);
    assert!(text.contains("tensor-train/sentiment") && !text.contains("sgns/"), "{text}");
    // A word is not found in the middle of another one, such as `evaluation`.
    let (text, _) = lab(dir.path(), dir.path(), &["list", "luat"]);
    assert!(text.contains("triggers/audit") && !text.contains("sparsegrad/"), "{text}");
    let nothing = Command::new(env!("CARGO_BIN_EXE_sixfold-lab")).args(["list", "xyzzy"]).output();
    let nothing = nothing.unwrap();
    assert_eq!(nothing.status.code(), Some(2));
    assert!(String::from_utf8(nothing.stderr).unwrap().contains("no experiment speaks of `xyzzy`"));
}
