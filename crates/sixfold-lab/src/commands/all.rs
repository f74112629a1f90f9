//! `all`: every experiment, one index.

use std::path::PathBuf;

use anyhow::{Result, anyhow};

use crate::atomic::{atomic_write, create_dir};
use crate::cli::AllArgs;
use crate::environment::{Clock, capture, now};
use crate::error::{LabError, one_line};
use crate::experiment::Registry;
use crate::format::duration;
use crate::report::{Drawn, Entry, index_html, index_markdown};
use crate::runner::{Request, execute, plan};
use crate::table::{Cell, Table};
use crate::terminal::{print, say};

/// Runs every experiment; one that fails does not keep the others from running.
pub(crate) fn all(registry: &Registry, arguments: &AllArgs) -> Result<()> {
    let common = &arguments.common;
    let session = super::session(common)?;
    let clock = Clock::start();
    let out = arguments.out.clone().unwrap_or_else(|| {
        let stamp: String = now().chars().filter(|c| !matches!(c, '-' | ':')).collect();
        PathBuf::from("runs/all").join(stamp)
    });
    // Whatever is wrong with the command line shows before the first run.
    let requests: Vec<Request> = registry
        .iter()
        .map(|experiment| Request {
            preset: arguments.preset,
            device: common.device.clone(),
            seeds: vec![0],
            data: common.data.clone(),
            out: Some(out.join(experiment.name())),
            force: common.force,
            online: common.online,
            ..Request::default()
        })
        .collect();
    let plans: Vec<_> = registry
        .iter()
        .zip(&requests)
        .map(|(experiment, request)| plan(experiment, request))
        .collect::<Result<_>>()?;
    create_dir(&out)?;

    let mut entries = Vec::new();
    let mut first_failure = None;
    for ((experiment, plan), request) in registry.iter().zip(&plans).zip(&requests) {
        let outcome = execute(experiment, plan, request, &session);
        let mut entry = Entry {
            experiment: experiment.name().to_owned(),
            title: experiment.title().to_owned(),
            status: "failed".to_owned(),
            seconds: 0.0,
            headline: String::new(),
            has_report: outcome.is_ok(),
            figure: outcome
                .as_ref()
                .ok()
                .and_then(|one| one.presentation.figures.first())
                .map(Drawn::from),
        };
        let failure = match outcome {
            Ok(outcome) => {
                entry.status.clone_from(&outcome.results.status);
                entry.seconds = outcome.seconds;
                entry.headline = outcome.presentation.headline;
                outcome.failure
            }
            Err(error) => Some(error),
        };
        let mut stop = false;
        if let Some(error) = failure {
            entry.headline = one_line(&error);
            say(&format!("error: {}: {}", experiment.name(), entry.headline));
            stop = matches!(error.downcast_ref(), Some(LabError::Interrupted { .. }));
            first_failure = if stop { Some(error) } else { first_failure.or(Some(error)) };
        }
        entries.push(entry);
        if stop {
            break;
        }
    }

    let command = format!("cargo xtask experiment all --preset {}", arguments.preset.name());
    let environment = capture(&command, &common.device, session.locator.repo(), &clock);
    let preset = arguments.preset.name();
    let index = out.join("index.html");
    atomic_write(&out.join("index.md"), index_markdown(preset, &entries))?;
    atomic_write(&index, index_html(preset, &entries, &environment)?)?;

    let mut table = Table::new("all", "", ["experiment", "status", "time", "what came out"]);
    for entry in &entries {
        table.push([
            Cell::from(entry.experiment.as_str()),
            Cell::from(entry.status.as_str()),
            Cell::from(duration(entry.seconds)),
            Cell::from(entry.headline.as_str()),
        ]);
    }
    print(&format!("{}\n\n{}\n", table.to_terminal(), index.display()))?;
    let failed = entries.iter().filter(|entry| entry.status != "complete").count();
    match first_failure {
        None => Ok(()),
        Some(error) if error.downcast_ref::<LabError>().is_some() => {
            Err(error.context(format!("{failed} of {} experiments did not finish", entries.len())))
        }
        Some(_) => Err(anyhow!("{failed} of {} experiments failed", entries.len())),
    }
}
