//! Finished runs that need not be made again.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::data::fingerprints;
use crate::environment::{Clock, Environment, capture};
use crate::experiment::AnyExperiment;
use crate::rundir::RunDir;
use crate::runner::{Plan, Request, Session, finished};

/// The latest complete run below `root` with the same key: config, device, seeds, code and content of the inputs.
///
/// Code is the commit and `Cargo.lock`. A tree with changes, or none at all, is no code that could be told from
/// another, and nothing is reused.
///
/// # Errors
/// An input that cannot be read, where there is a run to compare with.
pub(crate) fn find(
    root: &Path,
    experiment: &dyn AnyExperiment,
    plan: &Plan,
    request: &Request,
    session: &Session,
) -> Result<Option<PathBuf>> {
    let Ok(entries) = fs::read_dir(root) else { return Ok(None) };
    let mut found: Vec<(String, PathBuf, Environment)> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| finished(experiment, path, &plan.hash, &request.seeds))
        .filter_map(|path| {
            let dir = RunDir::open(&path).ok()?;
            Some((dir.status().ok()?.updated, path, dir.read_json("env.json").ok()?))
        })
        .collect();
    if found.is_empty() {
        return Ok(None);
    }
    let now = capture("", &request.device, session.locator.repo(), &Clock::start());
    found.retain(|(_, _, then)| is_same_code(then, &now));
    if found.is_empty() {
        return Ok(None);
    }
    let inputs = fingerprints(&experiment.inputs(&plan.resolved.table)?, &session.locator)?;
    found.retain(|(_, _, then)| then.inputs == inputs);
    found.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
    Ok(found.pop().map(|(_, path, _)| path))
}

fn is_same_code(then: &Environment, now: &Environment) -> bool {
    let code = |environment: &Environment| {
        let Environment { version, git_commit, git_dirty, cargo_lock_sha256, .. } = environment;
        let clean = git_commit.clone().filter(|_| *git_dirty == Some(false));
        clean.map(|commit| (commit, version.clone(), cargo_lock_sha256.clone()))
    };
    code(then).is_some_and(|then| code(now) == Some(then))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clean_tree_is_code() {
        let at = |commit: &str, dirty: bool| Environment {
            git_commit: Some(commit.to_owned()),
            git_dirty: Some(dirty),
            ..Environment::default()
        };
        assert!(is_same_code(&at("a", false), &at("a", false)));
        assert!(!is_same_code(&at("a", false), &at("b", false)));
        assert!(!is_same_code(&at("a", false), &at("a", true)));
        assert!(!is_same_code(&at("a", true), &at("a", true)));
        assert!(!is_same_code(&Environment::default(), &Environment::default()));
    }
}
