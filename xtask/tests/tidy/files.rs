//! Names, lengths and manifests.

use std::fs;
use std::path::Path;

use super::graph::{name, packages};
use super::{none, root, rust_files};

/// Lines from which on a file needs a reason.
const LIMIT: usize = 500;

/// Files that may be longer, each with its reason.
const LONGER: &[(&str, &str)] = &[];

#[test]
fn files_stay_below_five_hundred_lines() {
    let problems: Vec<String> = rust_files()
        .iter()
        .map(|(path, text)| (path.display().to_string(), text.lines().count()))
        .filter(|(path, lines)| *lines > LIMIT && !LONGER.iter().any(|(known, _)| known == path))
        .map(|(path, lines)| format!("{path}: {lines} lines"))
        .collect();
    none(
        "One idea per file: split these, or name them in LONGER of xtask/tests/tidy/files.rs with \
         the reason:",
        &problems,
    );
    let stale: Vec<String> = LONGER
        .iter()
        .filter(|(path, reason)| {
            let text = fs::read_to_string(root().join(path)).unwrap_or_default();
            reason.is_empty() || text.lines().count() <= LIMIT
        })
        .map(|(path, _)| (*path).to_owned())
        .collect();
    none("These are short now, or have no reason: take them out of LONGER:", &stale);
}

#[test]
fn a_folder_is_called_as_its_crate() {
    let mut problems = Vec::new();
    for package in packages() {
        let manifest = Path::new(package["manifest_path"].as_str().unwrap());
        let dir = manifest.parent().unwrap();
        let folder = dir.file_name().unwrap().to_string_lossy();
        let expected = match &*folder {
            "benches" => "sixfold-benches",
            folder => folder,
        };
        if name(package) != expected {
            problems.push(format!("{folder} holds {}", name(package)));
        }
    }
    none("Rename the folder or the crate:", &problems);
}

#[test]
fn every_member_inherits_the_lints() {
    let mut problems = Vec::new();
    for package in packages() {
        let path = package["manifest_path"].as_str().unwrap();
        let text = fs::read_to_string(path).unwrap();
        let lints = text.split_once("[lints]").map_or("", |(_, rest)| rest.trim_start());
        if !lints.starts_with("workspace = true") {
            problems.push(path.to_owned());
        }
    }
    none("Add `[lints]` with `workspace = true` to:", &problems);
}

#[test]
fn the_documents_are_there_and_the_readme_gives_two_commands() {
    let missing: Vec<String> = [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "CITATION.cff",
        "LICENSE-MIT",
        "LICENSE-APACHE",
    ]
    .into_iter()
    .filter(|name| !root().join(name).is_file())
    .map(str::to_owned)
    .collect();
    none("Write these documents:", &missing);
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for command in ["cargo xtask experiment all", "cargo xtask test"] {
        let found = readme.lines().any(|line| {
            let line = line.trim().trim_start_matches("$ ");
            line.split(" #").next().is_some_and(|line| line.trim_end() == command)
        });
        assert!(found, "README.md must give the command `{command}` on a line of its own");
    }
}
