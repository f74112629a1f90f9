//! Who depends on whom, by `cargo metadata` and `cargo tree`.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use super::{METHODS, none, root};

fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).args(arguments).current_dir(root()).output().unwrap();
    assert!(
        output.status.success(),
        "cargo {} failed:\n{}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The packages of the workspace.
pub(crate) fn packages() -> &'static [Value] {
    static PACKAGES: OnceLock<Vec<Value>> = OnceLock::new();
    PACKAGES.get_or_init(|| {
        let text = cargo(&["metadata", "--format-version", "1", "--no-deps"]);
        let metadata: Value = serde_json::from_str(&text).unwrap();
        metadata["packages"].as_array().unwrap().clone()
    })
}

pub(crate) fn name(package: &Value) -> &str {
    package["name"].as_str().unwrap()
}

fn dependencies(package: &Value) -> impl Iterator<Item = &Value> {
    package["dependencies"].as_array().unwrap().iter()
}

/// `null` is a normal dependency in `cargo metadata`.
fn is_normal(dependency: &Value) -> bool {
    dependency["kind"].is_null()
}

/// Names in the tree of normal dependencies.
fn tree(package: &str, more: &[&str]) -> BTreeSet<String> {
    let base = ["tree", "-p", package, "-e", "normal", "--prefix", "none"];
    cargo(&[&base, more].concat())
        .lines()
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect()
}

fn exists(package: &str) -> bool {
    packages().iter().any(|known| name(known) == package)
}

#[test]
fn method_crates_stand_on_model_and_linalg_alone() {
    let mut problems = Vec::new();
    for package in packages().iter().filter(|package| METHODS.contains(&name(package))) {
        for dependency in dependencies(package).filter(|dependency| is_normal(dependency)) {
            let other = name(dependency);
            let ours = other.starts_with("sixfold-");
            let allowed = ["sixfold-model", "sixfold-linalg"].contains(&other);
            if (ours && !allowed) || ["clap", "anyhow", "indicatif", "hf-hub"].contains(&other) {
                problems.push(format!("{} depends on {other}", name(package)));
            }
        }
    }
    none(
        "A method crate depends on sixfold-model and sixfold-linalg, never on another method crate, \
         nor on clap, anyhow, indicatif, hf-hub. Move what two methods share below them, and what \
         talks to a user into sixfold-lab:",
        &problems,
    );
}

#[test]
fn nothing_below_the_lab_depends_on_it() {
    let mut problems = Vec::new();
    for package in packages() {
        for dependency in dependencies(package) {
            if name(dependency) == "sixfold-lab" {
                problems.push(name(package).to_owned());
            }
            if name(dependency) == "sixfold-testkit" && dependency["kind"] != "dev" {
                problems
                    .push(format!("{}: sixfold-testkit must be a dev-dependency", name(package)));
            }
        }
    }
    none("sixfold-lab is the top of the graph, sixfold-testkit is for tests only:", &problems);
}

#[test]
fn linalg_does_not_know_burn() {
    let found: Vec<String> = tree("sixfold-linalg", &["--all-features"])
        .into_iter()
        .filter(|name| name == "burn" || name.starts_with("burn-") || name.starts_with("cubecl"))
        .collect();
    none("sixfold-linalg works on host matrices: keep burn out of its dependencies:", &found);
}

#[test]
fn the_core_of_model_is_small() {
    let tree = tree("sixfold-model", &["--no-default-features"]);
    let found: Vec<String> = ["tokenizers", "safetensors", "hf-hub"]
        .into_iter()
        .filter(|name| tree.contains(*name))
        .map(str::to_owned)
        .collect();
    none("sixfold-model without default features is the core: put these behind a feature:", &found);
}

#[test]
fn xtask_does_not_link_burn() {
    let found: Vec<String> =
        tree("xtask", &[]).into_iter().filter(|name| name.starts_with("burn")).collect();
    none("xtask must build in seconds: forward to sixfold-lab instead of linking it:", &found);
}

#[test]
fn methods_do_not_make_their_users_compile_tokenizers() {
    let mut problems = Vec::new();
    // Triggers are text, whatever the model reads.
    let without = METHODS.into_iter().filter(|&method| method != "sixfold-triggers");
    for method in without.filter(|method| exists(method)) {
        if tree(method, &[]).contains("tokenizers") {
            problems.push(method.to_owned());
        }
    }
    none("Depend on sixfold-model with default-features = false:", &problems);
}

#[test]
fn methods_on_plain_matrices_do_without_burn() {
    let plain = ["sixfold-geometry", "sixfold-linearity", "sixfold-sgns"];
    let found: Vec<String> = plain
        .into_iter()
        .filter(|method| exists(method))
        .filter(|method| tree(method, &["--no-default-features"]).contains("burn"))
        .map(str::to_owned)
        .collect();
    none(
        "Without default features these compute on host matrices: put burn behind `model`:",
        &found,
    );
}

#[test]
fn published_crates_have_versioned_path_dependencies() {
    let mut problems = Vec::new();
    // `publish = false` is an empty list of registries.
    let is_published = |package: &&Value| package["publish"].is_null();
    for package in packages().iter().filter(is_published) {
        for dependency in dependencies(package) {
            let without_version = dependency["req"] == "*";
            let local = !dependency["path"].is_null();
            if local && without_version && dependency["kind"] != "dev" {
                problems.push(format!("{}: {}", name(package), name(dependency)));
            }
        }
    }
    none("Give these path dependencies a version, or publish = false to the crate:", &problems);
}
