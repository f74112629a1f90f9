//! `cargo xtask bench`: criterion's benches, kept and compared by name.

mod compare;
mod estimates;
mod options;
mod record;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::exec::{become_, cargo, print, run, say};
use crate::machine::Origin;
use crate::places::{root, target};
use options::Options;
use record::{Record, Row};

/// Runs the benches; with `--save` and `--against` one by one, so that it is known whose an estimate
/// is.
pub(crate) fn bench(arguments: Vec<std::ffi::OsString>) -> Result<u8> {
    let options = match Options::parse(arguments) {
        Ok(options) => options,
        Err(error) => {
            say(&format!("error: {error:#}"));
            return Ok(2);
        }
    };
    if options.save.is_none() && options.against.is_none() {
        return become_(command(&options.cargo, &options.criterion).env("CRITERION_HOME", home()));
    }
    let record = Record::new(root().join("benches/record"));
    // Before hours of measuring, not after.
    let then = match &options.against {
        Some(name) => match record.named(name)? {
            rows if !rows.is_empty() => rows,
            _ => {
                let known = record.names()?.join(", ");
                say(&format!("error: nothing is recorded as `{name}`; there are: {known}"));
                return Ok(2);
            }
        },
        None => Vec::new(),
    };
    let origin = Origin::now();
    let mut rows = Vec::new();
    for bench in built(&options)? {
        let before = estimates::files(&home())?;
        let mut arguments = options.without_targets();
        arguments.extend(["--bench".into(), bench.clone().into()]);
        let code = run(command(&arguments, &options.criterion).env("CRITERION_HOME", home()))?;
        if code != 0 {
            say(&format!("error: bench {bench} ended with exit code {code}"));
            return Ok(code);
        }
        let name = options.save.as_deref().unwrap_or_default();
        let found = estimates::changed(&home(), &before)?;
        let these: Vec<Row> =
            found.into_iter().map(|found| Row::new(name, &bench, found, &origin)).collect();
        if options.save.is_some() && !these.is_empty() {
            let path = record.append(&bench, &these)?;
            say(&format!("{} rows added to {}", these.len(), path.display()));
        }
        rows.extend(these);
    }
    ensure!(!rows.is_empty(), "criterion wrote no estimates: nothing was measured");
    match options.against {
        Some(name) => print(&compare::table(&name, &then, &rows)),
        None => Ok(0),
    }
}

/// Criterion's folder. Left alone, a bench would look for a relative target directory in its own
/// package.
fn home() -> PathBuf {
    let named = std::env::var_os("CRITERION_HOME").map(PathBuf::from);
    let home = named.unwrap_or_else(|| target().join("criterion"));
    std::path::absolute(&home).unwrap_or(home)
}

fn command(of_cargo: &[std::ffi::OsString], of_criterion: &[std::ffi::OsString]) -> Command {
    let mut command = cargo();
    command.args(["bench", "--package", "sixfold-benches"]).args(of_cargo);
    if !of_criterion.is_empty() {
        command.arg("--").args(of_criterion);
    }
    command
}

/// Builds the benches that the arguments name, and returns their names: cargo knows which of them
/// the features allow.
fn built(options: &Options) -> Result<BTreeSet<String>> {
    let mut build = command(&options.for_build(), &[]);
    build.args(["--no-run", "--message-format", "json-render-diagnostics"]);
    let output = build.stdout(Stdio::piped()).spawn().and_then(|child| child.wait_with_output());
    let output = output.context("cannot run cargo")?;
    ensure!(output.status.success(), "the benches do not build");
    let benches = names(&String::from_utf8_lossy(&output.stdout));
    if benches.is_empty() {
        bail!("no bench is built with these arguments");
    }
    Ok(benches)
}

/// The benches among cargo's messages, one JSON object a line.
fn names(messages: &str) -> BTreeSet<String> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let benches = messages.filter(|message| message["target"]["kind"][0] == "bench");
    benches.filter_map(|message| Some(message["target"]["name"].as_str()?.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn benches_are_found_among_the_messages_of_cargo() {
        let messages = r#"
{"reason":"compiler-artifact","package_id":"registry+…#serde@1.0.229","target":{"kind":["lib"],"name":"serde"},"executable":null}
{"reason":"compiler-artifact","target":{"kind":["bench"],"crate_types":["bin"],"name":"linalg"},"executable":"/t/release/deps/linalg-1"}
{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"linearity_peer"},"executable":"/t/release/linearity_peer"}
{"reason":"build-finished","success":true}
"#;
        assert_eq!(names(messages), BTreeSet::from(["linalg".to_owned()]));
    }
}
