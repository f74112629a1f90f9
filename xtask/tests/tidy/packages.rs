//! What crates.io and docs.rs want to know of a published crate.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::graph::{name, packages};
use super::{none, root};

/// The categories in use, each as crates.io spells it: unknown ones are dropped without an error
/// there. Look a new one up on <https://crates.io/category_slugs>.
const CATEGORIES: [&str; 5] =
    ["algorithms", "data-structures", "mathematics", "science", "text-processing"];

/// `publish = false` is an empty list of registries.
fn published() -> impl Iterator<Item = &'static Value> {
    packages().iter().filter(|package| package["publish"].is_null())
}

fn words(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// As crates.io takes them.
fn is_keyword(word: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-+".contains(c);
    word.len() <= 20
        && word.starts_with(|c: char| c.is_ascii_alphanumeric())
        && word.chars().all(plain)
}

#[test]
fn published_crates_describe_themselves() {
    let mut problems = Vec::new();
    for package in published() {
        let mut check = |good: bool, what: &str| {
            if !good {
                problems.push(format!("{}: {what}", name(package)));
            }
        };
        let text = |key: &str| package[key].as_str().unwrap_or_default();
        let keywords = words(&package["keywords"]);
        check((1..=5).contains(&keywords.len()), "one to five keywords");
        check(keywords.iter().all(|word| is_keyword(word)), "keywords of at most 20 plain letters");
        let categories = words(&package["categories"]);
        check((1..=5).contains(&categories.len()), "one to five categories");
        for category in categories {
            check(CATEGORIES.contains(&category), &format!("is `{category}` a category?"));
        }
        check(text("description").len() > 20, "a description");
        check(text("license") == "MIT OR Apache-2.0", "the workspace's licence");
        check(text("repository").starts_with("https://"), "a repository");
        check(text("readme") == "README.md", "readme = \"README.md\"");
        check(package["metadata"]["docs"]["rs"].is_object(), "[package.metadata.docs.rs]");
    }
    none("crates.io and docs.rs need these in Cargo.toml:", &problems);
}

#[test]
fn published_crates_carry_the_licences() {
    let mut problems = Vec::new();
    for package in published() {
        let manifest = Path::new(package["manifest_path"].as_str().unwrap());
        for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
            let theirs = fs::read(manifest.with_file_name(licence)).ok();
            if theirs != fs::read(root().join(licence)).ok() {
                problems.push(format!("{}: {licence}", name(package)));
            }
        }
    }
    none("Link them, `ln -s ../../LICENSE-MIT`; cargo packs what a link leads to:", &problems);
}

#[test]
fn packages_leave_out_what_only_the_repository_can_run() {
    let mut problems = Vec::new();
    for package in published() {
        let manifest = package["manifest_path"].as_str().unwrap();
        let text = fs::read_to_string(manifest).unwrap();
        let include = text.lines().find(|line| line.starts_with("include = ["));
        if include.is_none_or(|line| line.contains("\"/tests")) {
            problems.push(format!("{}: an `include` on one line, without tests", name(package)));
        }
        let left_out =
            |path: &str| include.is_some_and(|line| line.contains(&format!("\"!{path}\"")));
        for target in package["targets"].as_array().unwrap() {
            let path = Path::new(target["src_path"].as_str().unwrap());
            let is_example = target["kind"][0] == "example";
            let testkit =
                is_example && fs::read_to_string(path).unwrap().contains("sixfold_testkit");
            let file = path.file_name().unwrap().to_str().unwrap();
            if testkit && !left_out(&format!("/examples/{file}")) {
                problems.push(format!("{}: examples/{file} needs sixfold-testkit", name(package)));
            }
        }
    }
    none("Tests and what needs sixfold-testkit stay out of packages:", &problems);
}
