//! The tasks: which cargo command each one is.

use std::ffi::OsString;
use std::process::Command;

use anyhow::Result;

use crate::exec::{become_, cargo, run, say};
use crate::places;

/// The one feature set that tests, lints and CI's experiments share, so that dependencies are
/// compiled once.
const FEATURES: &str = "flex,ndarray,wgpu,hub,cli";
/// Clippy and rustdoc look at the CUDA code as well, which only a GPU can run.
const CHECK_FEATURES: &str = "flex,ndarray,wgpu,cuda,hub,cli";
/// The features that can be named in `--device`.
const BACKENDS: [&str; 3] = ["cuda", "wgpu", "ndarray"];

/// `cargo xtask experiment …`: forwards to the lab, built with what the arguments need.
pub(crate) fn experiment(arguments: Vec<OsString>) -> Result<u8> {
    let profile = std::env::var("SIXFOLD_PROFILE").ok().filter(|profile| !profile.is_empty());
    if let Some(profile) = profile {
        return of_the_tests(&profile, "sixfold-lab", arguments);
    }
    let features = features(&arguments);
    let mut command = cargo();
    command.args(["run", "--package", "sixfold-lab", "--profile", "release"]);
    if !features.is_empty() {
        command.args(["--features", &features]);
    }
    become_(command.arg("--").args(arguments))
}

/// Runs a program that the build of the tests makes along with them. A `cargo run` of its package
/// alone would unite other features and compile burn again.
fn of_the_tests(profile: &str, program: &str, arguments: Vec<OsString>) -> Result<u8> {
    let mut build = cargo();
    build.args(["test", "--quiet", "--no-run", "--workspace", "--profile", profile]);
    build.args(["--features", FEATURES]);
    let code = run(&mut build)?;
    if code != 0 {
        return Ok(code);
    }
    let folder = if profile == "dev" { "debug" } else { profile };
    become_(Command::new(places::target().join(folder).join(program)).args(arguments))
}

/// The cargo features that `--device` and `--online` call for.
fn features(arguments: &[OsString]) -> String {
    let texts: Vec<&str> = arguments.iter().filter_map(|argument| argument.to_str()).collect();
    let mut features = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let device = match text.strip_prefix("--device") {
            Some("") => texts.get(index + 1).copied(),
            Some(rest) => rest.strip_prefix('='),
            None => None,
        };
        // A sweep names several: cuda:0,cuda:1.
        let kinds = device.into_iter().flat_map(|list| list.split(','));
        for kind in kinds.filter_map(|device| device.split(':').next()) {
            let backend = BACKENDS.into_iter().find(|backend| *backend == kind);
            features.extend(backend.filter(|backend| !features.contains(backend)));
        }
        if *text == "--online" {
            features.push("hub");
        }
    }
    features.join(",")
}

/// `cargo xtask test`: all tests of the workspace.
pub(crate) fn test(arguments: Vec<OsString>) -> Result<u8> {
    let mut command = cargo();
    command.args(["test", "--workspace", "--profile", "ci", "--features", FEATURES]);
    become_(command.args(arguments))
}

/// `cargo xtask lint`: the same three commands as `.ci/run`, the fast one first.
pub(crate) fn lint() -> Result<u8> {
    let shared = ["--workspace", "--profile", "ci", "--features", CHECK_FEATURES];
    let mut format = cargo();
    format.args(["fmt", "--all", "--check"]);
    let mut clippy = cargo();
    clippy.args(["clippy", "--all-targets"]).args(shared).args(["--", "-D", "warnings"]);
    let mut docs = cargo();
    docs.args(["doc", "--no-deps"]).args(shared).env("RUSTDOCFLAGS", "-Dwarnings");
    for (name, command) in [("fmt", &mut format), ("clippy", &mut clippy), ("doc", &mut docs)] {
        // burn-cuda's build downloads an LLVM bundle; as on docs.rs it goes without, for nothing
        // is linked.
        command.env("DOCS_RS", "1");
        say(&format!("lint: {name}"));
        let code = run(command)?;
        if code != 0 {
            say(&format!("error: {name} found something to mend"));
            return Ok(code);
        }
    }
    Ok(0)
}

/// `cargo xtask parity`: our models against the outputs that were recorded elsewhere.
pub(crate) fn parity(arguments: Vec<OsString>) -> Result<u8> {
    of_the_tests("ci", "examples/parity", arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_bring_their_feature() {
        let of = |text: &str| features(&text.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert_eq!(of("run a/b --device cuda:1 seed=1"), "cuda");
        assert_eq!(of("run a/b --device=wgpu --online"), "wgpu,hub");
        assert_eq!(of("run a/b --device flex"), "");
        assert_eq!(of("sweep a/b c=1,2 --device cuda:0,cuda:1,ndarray"), "cuda,ndarray");
        assert_eq!(of("run a/b --device"), "");
    }
}
