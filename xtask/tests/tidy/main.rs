//! The invariants of ARCHITECTURE.md, as tests. Each message says what to do.

mod backends;
mod files;
mod graph;
mod packages;
mod sources;

use std::fs;
use std::path::{Path, PathBuf};

/// The repository's root.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The six method crates, whether they exist yet or not.
const METHODS: [&str; 6] = [
    "sixfold-sparsegrad",
    "sixfold-geometry",
    "sixfold-linearity",
    "sixfold-triggers",
    "sixfold-tensor-train",
    "sixfold-sgns",
];

/// Every Rust file of the workspace, its path relative to the root, and its text.
fn rust_files() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    for top in ["crates", "xtask", "benches"] {
        collect(&root().join(top), &mut files);
    }
    files.sort();
    files
}

fn collect(dir: &Path, files: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() && name != "target" && !name.to_string_lossy().starts_with('.') {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            files.push((path.strip_prefix(root()).unwrap().to_owned(), text));
        }
    }
}

/// Fails with all `problems` at once.
#[track_caller]
fn none(what: &str, problems: &[String]) {
    assert!(problems.is_empty(), "{what}\n  {}", problems.join("\n  "));
}
