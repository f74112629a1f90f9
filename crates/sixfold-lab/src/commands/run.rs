//! `run`.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::inspect::parse;
use crate::cache;
use crate::cli::RunArgs;
use crate::error::{config, doing, missing};
use crate::estimate;
use crate::experiment::{AnyExperiment, Registry};
use crate::format::{bytes, duration};
use crate::present::Presentation;
use crate::record::Results;
use crate::rundir::RunDir;
use crate::runner::{Plan, Request, Session, execute, finished, plan, root_of};
use crate::tensorboard;
use crate::terminal::{print, say};

/// Runs one experiment.
pub(crate) fn run(registry: &Registry, arguments: &RunArgs) -> Result<()> {
    run_in(registry, arguments, || super::session(&arguments.common))
}

/// Runs one experiment in a session, which begins once the command line is understood.
pub(crate) fn run_in(
    registry: &Registry,
    arguments: &RunArgs,
    session: impl FnOnce() -> Result<Session>,
) -> Result<()> {
    let experiment = registry.get(&arguments.chosen.name)?;
    let common = &arguments.common;
    let resume = match &arguments.resume {
        // An optional value swallows the argument behind it: `--resume a=1` is an override.
        Some(Some(dir)) if dir.to_string_lossy().contains('=') && !dir.exists() => {
            return Err(config(format!(
                "--resume: `{}` looks like an override: put key=value before --resume",
                dir.display()
            )));
        }
        resume => resume.clone(),
    };
    let mut overrides = arguments.chosen.overrides.clone();
    overrides.extend(arguments.fail_above.map(|rate| format!("fail_above={rate:?}")));
    let request = Request {
        preset: arguments.chosen.preset,
        overrides: parse(&overrides)?,
        device: common.device.clone(),
        seeds: arguments.seeds.0.clone(),
        data: common.data.clone(),
        out: arguments.out.clone(),
        resume,
        force: common.force,
        online: common.online,
    };
    let session = session()?;
    let plan = plan(experiment, &request)?;
    if arguments.dry_run {
        return describe(experiment, &plan, &request, &session.locator);
    }
    if plan.resumed && finished(experiment, &plan.path, &plan.hash, &request.seeds) {
        say(&format!("{} is complete already", plan.path.display()));
        return again(experiment, &plan, &plan.path, arguments.json);
    }
    if request.out.is_none() && request.resume.is_none() && !request.force {
        let root = root_of(experiment);
        if let Some(path) = cache::find(&root, experiment, &plan, &request, &session)? {
            let shown = path.display();
            say(&format!("{shown} has the same config, code and inputs; --force runs it again"));
            return again(experiment, &plan, &path, arguments.json);
        }
    }
    let outcome = execute(experiment, &plan, &request, &session)?;
    if arguments.tensorboard {
        let values = tensorboard::export(&RunDir::open(&outcome.path)?)?;
        say(&format!("{values} values in {}", outcome.path.join("tensorboard").display()));
    }
    let words = words(&outcome.presentation);
    show_result(&outcome.path, &outcome.results, words, arguments.json)?;
    match outcome.failure {
        None => {
            if !common.quiet {
                let report = outcome.path.join("report.html");
                say(&format!("{} in {}", report.display(), duration(outcome.seconds)));
            }
            passed(experiment, &plan, &outcome.results)
        }
        Some(failure) => Err(failure),
    }
}

/// Shows what an earlier run found.
fn again(experiment: &dyn AnyExperiment, plan: &Plan, path: &Path, json: bool) -> Result<()> {
    let results: Results = RunDir::open(path)?.read_json("results.json")?;
    let presentation = experiment.present(&plan.resolved.table, &results)?;
    show_result(path, &results, words(&presentation), json)?;
    passed(experiment, plan, &results)
}

/// The first table and the headline, as the terminal shows them.
fn words(presentation: &Presentation) -> Option<String> {
    let table = presentation.tables.first()?;
    Some(format!("{}\n\n{}\n", table.to_terminal(), presentation.headline))
}

/// Fails where the experiment has a bound that its numbers do not keep.
fn passed(experiment: &dyn AnyExperiment, plan: &Plan, results: &Results) -> Result<()> {
    match experiment.gate(&plan.resolved.table, results)? {
        Some(why) => Err(anyhow::anyhow!(why)),
        None => Ok(()),
    }
}

fn show_result(path: &Path, results: &Results, words: Option<String>, json: bool) -> Result<()> {
    if json {
        let file = path.join("results.json");
        let text = std::fs::read_to_string(&file).with_context(|| doing("read", &file))?;
        return print(&text);
    }
    let words = words.unwrap_or_else(|| format!("{} metrics\n", results.metrics.len()));
    print(&words)
}

/// The dry run: config, directory and inputs, and whether they are there.
fn describe(
    experiment: &dyn AnyExperiment,
    plan: &Plan,
    request: &Request,
    locator: &crate::data::Locator,
) -> Result<()> {
    let mut text = plan.resolved.to_toml()?;
    let seeds = if experiment.uses_seed() { request.seeds.len() } else { 1 };
    text += &format!("\n# config hash   {}\n", plan.hash);
    text += &format!("# run directory {}", plan.path.display());
    text += if plan.resumed { " (resumed)\n" } else { "\n" };
    text += &format!("# device        {}\n# runs          {seeds}\n", request.device);
    let mut absent = 0;
    let inputs = experiment.inputs(&plan.resolved.table)?;
    let work = experiment.work(&plan.resolved.table)?;
    let preset = plan.resolved.preset.name();
    for (name, line) in estimate::lines(experiment.name(), preset, seeds, &work, &inputs, locator) {
        text += &format!("# {name:<13} {line}\n");
    }
    for input in inputs {
        let state = match locator.check(&input) {
            Ok(path) => format!("{} ({})", path.display(), bytes(size(&path))),
            Err(error) => {
                absent += 1;
                format!("MISSING: {}", crate::error::one_line(&error))
            }
        };
        text += &format!("# {:<13} {state}\n", input.key);
    }
    print(&text)?;
    match absent {
        0 => Ok(()),
        _ => Err(missing(format!("{}: {absent} of its inputs are missing", experiment.name()))),
    }
}

/// Bytes of a file, or of the files directly in a directory.
fn size(path: &Path) -> u64 {
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |meta| meta.len());
    match std::fs::read_dir(path) {
        Ok(entries) => entries.flatten().map(|entry| length(&entry.path())).sum(),
        Err(_) => length(path),
    }
}
