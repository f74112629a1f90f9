//! `cargo xtask outside`: the README's first example of each crate, in a crate of its own outside the
//! workspace, as a user would have it.

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

/// Runs the examples of the crates that are named, or of all. With `--without-burn` it is the first
/// example that needs no model, and nothing compiles burn.
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
        let (line, result) = match one(scratch.path(), name, package, without_burn) {
            Ok((line, runs)) => (line, if runs { "ran" } else { "compiled" }.to_owned()),
            Err(error) => {
                say(&format!("error: {name}: {error:#}"));
                failed = true;
                (0, "FAILED".to_owned())
            }
        };
        let line = if line > 0 { format!("README.md:{line}") } else { String::new() };
        rows.push([name.to_owned(), line, result]);
    }
    print(&table(&rows, 3))?;
    Ok(u8::from(failed))
}

/// Makes the crate and runs it; where its example stands, and whether it is meant to run.
fn one(scratch: &Path, name: &str, package: &Value, without_burn: bool) -> Result<(usize, bool)> {
    let manifest = Path::new(package["manifest_path"].as_str().context("no path")?);
    let text = read(&manifest.with_file_name("README.md"))?;
    let mut examples = readme::examples(&text).into_iter();
    let Example { line, code, runs } = examples
        .find(|example| !(without_burn && manifest::needs_model(&example.code)))
        .with_context(|| {
            format!(
                "README.md has no Rust example{}",
                if without_burn { " that works without burn" } else { "" }
            )
        })?;
    let dir = scratch.join("crates").join(name);
    fs::create_dir_all(dir.join("src")).with_context(|| format!("{}", dir.display()))?;
    let toml = manifest::of(name, package, &code, without_burn)?;
    for (file, text) in [("Cargo.toml", toml), ("src/main.rs", readme::program(&code))] {
        fs::write(dir.join(file), text).with_context(|| format!("{file} in {}", dir.display()))?;
    }
    // The versions that are tested here; cargo takes out what is not needed.
    fs::copy(root().join("Cargo.lock"), dir.join("Cargo.lock")).context("Cargo.lock")?;
    let mut command = cargo();
    command.args([if runs { "run" } else { "build" }, "--quiet", "--target-dir"]);
    command.arg(target().join("outside")).current_dir(&dir);
    let code = run(&mut command)?;
    ensure!(code == 0, "the example at README.md:{line} ended with exit code {code}");
    Ok((line, runs))
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
