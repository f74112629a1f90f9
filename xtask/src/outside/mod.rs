//! `cargo xtask outside`: the first examples of each crate's README, in a crate of their own outside
//! the workspace, as a user would have them.

mod manifest;
mod readme;

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::exec::{cargo, print, run, say};
use crate::places::{Scratch, read, root, target};
use crate::table::table;
use readme::Example;

/// Runs the examples of the crates that are named, or of all. With `--without-burn` nothing compiles
/// burn.
pub(crate) fn outside(arguments: Vec<OsString>) -> Result<u8> {
    let (mut without_burn, mut names) = (false, Vec::new());
    for argument in arguments {
        match argument.to_str() {
            Some("--without-burn") => without_burn = true,
            Some(name) if !name.starts_with('-') => names.push(name.to_owned()),
            _ => {
                say(&format!("error: unknown option {}", argument.display()));
                return Ok(2);
            }
        }
    }
    let packages = packages()?;
    let mut chosen = Vec::new();
    for package in &packages {
        let name = package["name"].as_str().unwrap_or_default();
        let published = package["publish"].is_null();
        let fits = !without_burn || manifest::does_without_burn(package);
        if published && fits && (names.is_empty() || names.iter().any(|wanted| wanted == name)) {
            chosen.push((name, package));
        }
    }
    let unknown = |wanted: &&String| !chosen.iter().any(|(name, _)| name == wanted);
    if let Some(name) = names.iter().find(unknown) {
        say(&format!(
            "error: `{name}` is no published crate{}",
            if without_burn { " that does without burn" } else { "" }
        ));
        return Ok(2);
    }
    let scratch = Scratch::new("outside")?;
    // Where examples find the repository's model from inside the workspace.
    #[cfg(unix)]
    std::os::unix::fs::symlink(root().join("fixtures"), scratch.path().join("fixtures"))?;
    let mut rows = vec![["crate", "example", "result"].map(String::from)];
    let mut failed = false;
    for (name, package) in chosen {
        say(&format!("outside: {name}"));
        let manifest = Path::new(package["manifest_path"].as_str().context("no path")?);
        let text = read(&manifest.with_file_name("README.md"))?;
        let examples = selected(readme::examples(&text), without_burn);
        if examples.is_empty() {
            say(&format!("error: {name}: README.md has no such Rust example"));
            failed = true;
            rows.push([name, "", "FAILED"].map(str::to_owned));
        }
        for example in &examples {
            let done = one(scratch.path(), name, package, example, without_burn);
            let result = match done {
                Ok(()) => ["compiled", "ran"][usize::from(example.runs)],
                Err(error) => {
                    say(&format!("error: {name}: {error:#}"));
                    failed = true;
                    "FAILED"
                }
            };
            rows.push([name.to_owned(), format!("README.md:{}", example.line), result.to_owned()]);
        }
    }
    print(&table(&rows, 3))?;
    Ok(u8::from(failed))
}

/// The first example, and the first that needs the model where that is another. Without burn, the
/// first that does not.
fn selected(mut examples: Vec<Example>, without_burn: bool) -> Vec<Example> {
    let needs = |example: &Example| manifest::needs_model(&example.code);
    if without_burn {
        examples.retain(|example| !needs(example));
        examples.truncate(1);
        return examples;
    }
    let with_model = examples.iter().position(needs);
    let wanted = |(i, _): &(usize, Example)| *i == 0 || Some(*i) == with_model;
    examples.into_iter().enumerate().filter(wanted).map(|(_, example)| example).collect()
}

/// Makes a crate around an example, and runs it if it is meant to run.
fn one(
    scratch: &Path,
    name: &str,
    package: &Value,
    example: &Example,
    without_burn: bool,
) -> Result<()> {
    let Example { line, code, runs } = example;
    let dir = scratch.join("crates").join(name);
    fs::create_dir_all(dir.join("src")).with_context(|| format!("{}", dir.display()))?;
    let toml = manifest::of(name, package, code, without_burn)?;
    for (file, text) in [("Cargo.toml", toml), ("src/main.rs", readme::program(code))] {
        fs::write(dir.join(file), text).with_context(|| format!("{file} in {}", dir.display()))?;
    }
    // The versions that are tested here; cargo takes out what is not needed.
    fs::copy(root().join("Cargo.lock"), dir.join("Cargo.lock")).context("Cargo.lock")?;
    let mut command = cargo();
    command.args([if *runs { "run" } else { "build" }, "--quiet", "--target-dir"]);
    command.arg(target().join("outside")).current_dir(&dir);
    let code = run(&mut command)?;
    ensure!(code == 0, "the example at README.md:{line} ended with exit code {code}");
    Ok(())
}

/// The workspace's packages by `cargo metadata`.
fn packages() -> Result<Vec<Value>> {
    let mut command: Command = cargo();
    command.args(["metadata", "--format-version", "1", "--no-deps"]).current_dir(root());
    let output = command.stderr(Stdio::inherit()).output().context("cannot run cargo")?;
    ensure!(output.status.success(), "cargo metadata: {}", output.status);
    let told: Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    told["packages"].as_array().cloned().context("cargo metadata without packages")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_example_and_the_first_with_a_model_are_taken() {
        let example = |line: usize, code: &str| Example { line, code: code.to_owned(), runs: true };
        let lines = |codes: &[&str], without_burn| {
            let examples = codes.iter().enumerate().map(|(line, code)| example(line, code));
            let found = selected(examples.collect(), without_burn).into_iter();
            found.map(|example| example.line).collect::<Vec<_>>()
        };
        let codes = ["use ndarray::s;", "use rand::Rng;", "use sixfold_model::Tap;", "burn::f()"];
        assert_eq!(lines(&codes, false), [0, 2]);
        assert_eq!(lines(&codes[2..], false), [0]);
        assert_eq!(lines(&codes[..2], false), [0]);
        assert_eq!(lines(&codes, true), [0]);
        assert_eq!(lines(&["burn::f()", "f()"], true), [1]);
        assert_eq!(lines(&codes[2..], true), [0_usize; 0]);
    }
}
