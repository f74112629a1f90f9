//! Runs one experiment from config to report.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use anyhow::{Result, anyhow};

use crate::atomic::remove_leftovers;
use crate::config::{Override, Preset, Resolved};
use crate::context::{Context, Kept};
use crate::data::{Locator, fingerprints};
use crate::environment::{Clock, Environment, capture, now};
use crate::error::{LabError, config, one_line};
use crate::experiment::AnyExperiment;
use crate::interrupt::Interrupt;
use crate::present::Presentation;
use crate::progress::Progress;
use crate::record::{Results, aggregate};
use crate::report;
use crate::rundir::{RunDir, Status};

mod command;
pub(crate) use command::quoted;
pub use command::reproduction;

/// What all runs of a process share.
#[derive(Clone, Debug)]
pub struct Session {
    /// Finds inputs.
    pub locator: Locator,
    /// Shows progress.
    pub progress: Progress,
    /// Hears signals.
    pub interrupt: Interrupt,
}

/// What a run was asked for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Size.
    pub preset: Preset,
    /// `key=value` arguments.
    pub overrides: Vec<Override>,
    /// Name of the device.
    pub device: String,
    /// Root seeds; not empty.
    pub seeds: Vec<u64>,
    /// The directory given with `--data`, for the command of the report.
    pub data: Option<PathBuf>,
    /// The run directory, if it was chosen.
    pub out: Option<PathBuf>,
    /// Whether to go on with an earlier run, and with which.
    pub resume: Option<Option<PathBuf>>,
    /// Whether an earlier run in `out` is replaced.
    pub force: bool,
    /// Whether the network may be used.
    pub online: bool,
}

/// A run that can begin: everything that can be checked before has been.
#[derive(Debug)]
pub struct Plan {
    /// The config.
    pub resolved: Resolved,
    /// Its hash.
    pub hash: String,
    /// Where the run will lie.
    pub path: PathBuf,
    /// Whether an earlier run lies there already.
    pub resumed: bool,
}

/// A run that came to an end.
#[derive(Debug)]
pub struct Outcome {
    /// Its directory.
    pub path: PathBuf,
    /// The numbers.
    pub results: Results,
    /// The words, figures and tables.
    pub presentation: Presentation,
    /// Wall time.
    pub seconds: f64,
    /// What stopped it early.
    pub failure: Option<anyhow::Error>,
}

/// Resolves the config and chooses the directory, without touching the disk.
///
/// # Errors
/// Exit code 2: a key, a value, a device or a directory that does not fit.
pub fn plan(experiment: &dyn AnyExperiment, request: &Request) -> Result<Plan> {
    let resolved = experiment.resolve(request.preset, &request.overrides)?;
    sixfold_model::device(&request.device).map_err(|e| config(format!("--device: {e}")))?;
    if request.online && !cfg!(feature = "hub") {
        return Err(config("--online: this build cannot download; build with --features hub"));
    }
    let hash = resolved.hash(&request.device);
    let root = root_of(experiment);
    let earlier = match &request.resume {
        None => None,
        Some(Some(dir)) => Some(dir.clone()),
        Some(None) => match &request.out {
            Some(out) => out.join("status.json").is_file().then(|| out.clone()),
            None => RunDir::latest(&root, &hash),
        },
    };
    let resumed = earlier.is_some();
    let fresh = || request.out.clone().unwrap_or_else(|| new_directory(&root, &hash));
    Ok(Plan { path: earlier.unwrap_or_else(fresh), resolved, hash, resumed })
}

/// Where the runs of an experiment lie that were given no directory.
pub(crate) fn root_of(experiment: &dyn AnyExperiment) -> PathBuf {
    PathBuf::from("runs").join(experiment.name())
}

/// `<UTC time>-<hash8>`, and a number where two runs begin in the same second.
pub(crate) fn new_directory(root: &std::path::Path, hash: &str) -> PathBuf {
    let stamp: String = now().chars().filter(|c| !matches!(c, '-' | ':')).collect();
    let name = format!("{stamp}-{}", &hash[..8]);
    (1..)
        .map(|n| if n == 1 { root.join(&name) } else { root.join(format!("{name}-{n}")) })
        .find(|path| !path.exists())
        .unwrap_or_else(|| root.join(&name))
}

/// Whether the run in `path` is complete, of the config `hash`, and has all of `seeds`.
pub fn finished(
    experiment: &dyn AnyExperiment,
    path: &std::path::Path,
    hash: &str,
    seeds: &[u64],
) -> bool {
    let Ok(dir) = RunDir::resume(path, hash) else { return false };
    let complete = dir.status().is_ok_and(|status| status.status == "complete");
    let seeds = if experiment.uses_seed() { seeds } else { &seeds[..1] };
    let results = dir.read_json::<Results>("results.json");
    complete && results.is_ok_and(|results| results.seeds == seeds)
}

/// Carries the plan out and writes the run directory.
///
/// An experiment that fails or is interrupted is an [`Outcome`] with `failure`: what it had
/// measured is kept.
///
/// # Errors
/// Missing input (exit code 3), a directory that is in use (2), a disk that cannot be written.
pub fn execute(
    experiment: &dyn AnyExperiment,
    plan: &Plan,
    request: &Request,
    session: &Session,
) -> Result<Outcome> {
    let clock = Clock::start();
    let inputs = experiment.inputs(&plan.resolved.table)?;
    // What is wrong with the config comes before what is missing on the disk.
    for input in &inputs {
        session.locator.expand(&input.key, &input.path)?;
    }
    let earlier = plan.resumed.then(|| RunDir::resume(&plan.path, &plan.hash)).transpose()?;
    for input in &inputs {
        session.locator.check(input)?;
    }
    let dir = match earlier {
        Some(dir) => {
            remove_leftovers(dir.path());
            dir
        }
        None => RunDir::create(&plan.path, request.force)?,
    };
    session.progress.say(&format!("{} in {}", experiment.name(), plan.path.display()));
    let status = |name: &str, reason: Option<String>| {
        dir.write_json("status.json", &Status::new(name, reason, experiment.name(), &plan.hash))
    };
    status("running", None)?;
    dir.write("config.toml", plan.resolved.to_toml()?)?;
    let command = reproduction(plan, request);
    let begun = Environment {
        inputs: fingerprints(&inputs, &session.locator)?,
        ..capture(&command, &request.device, session.locator.repo(), &clock)
    };
    dir.write_json("env.json", &begun)?;

    let (kept, failure) = run_seeds(experiment, plan, request, session, &dir);
    let name = match failure.as_ref().map(|error| error.downcast_ref::<LabError>()) {
        None => "complete",
        Some(Some(LabError::Interrupted { .. })) => "interrupted",
        Some(_) => "failed",
    };
    let reason = failure.as_ref().map(one_line);
    let finish = || -> Result<(Results, Presentation)> {
        let results = results(experiment, plan, request, &kept, name);
        dir.write_json("results.json", &results)?;
        // Whoever edits the tree while a run goes on does not change what runs.
        let environment = begun.at(&clock);
        dir.write_json("env.json", &environment)?;
        let presentation = write_report(experiment, &plan.resolved, &dir, &results, &environment)?;
        Ok((results, presentation))
    };
    match finish() {
        Ok((results, presentation)) => {
            status(name, reason)?;
            let (path, seconds) = (plan.path.clone(), clock.seconds());
            Ok(Outcome { path, results, presentation, seconds, failure })
        }
        Err(error) => {
            // The disk may be full; the error that matters is the first one.
            let _ = status("failed", Some(one_line(&error)));
            Err(error)
        }
    }
}

/// Runs the seeds one after the other and keeps what each recorded.
fn run_seeds(
    experiment: &dyn AnyExperiment,
    plan: &Plan,
    request: &Request,
    session: &Session,
    dir: &RunDir,
) -> (Vec<Kept>, Option<anyhow::Error>) {
    let mut all = Vec::new();
    let seeds = if experiment.uses_seed() { &request.seeds[..] } else { &request.seeds[..1] };
    for (index, &seed) in seeds.iter().enumerate() {
        let cell = format!("cells/seed-{seed}.json");
        if let Ok(kept) = dir.read_json::<Kept>(&cell) {
            session.progress.say(&format!("seed {seed}: kept from the earlier run"));
            all.push(kept);
            continue;
        }
        if seeds.len() > 1 {
            session.progress.say(&format!("seed {seed} ({} of {})", index + 1, seeds.len()));
        }
        let mut cx = Context {
            device: request.device.clone(),
            seed,
            online: request.online,
            locator: session.locator.clone(),
            progress: session.progress,
            interrupt: session.interrupt.clone(),
            dir: dir.clone(),
            kept: Kept { seed, ..Kept::default() },
        };
        let ended = cx
            .check_interrupt()
            .and_then(|()| guarded(|| experiment.run(&plan.resolved.table, &mut cx)))
            .and_then(|()| dir.write_json(&cell, &cx.kept));
        let begun = ended.is_ok() || !cx.kept.metrics.is_empty();
        if begun {
            all.push(cx.kept);
        }
        if let Err(error) = ended {
            return (all, Some(error));
        }
    }
    (all, None)
}

/// A panic of a library ends this experiment, not the process: `all` goes on with the next.
fn guarded(run: impl FnOnce() -> Result<()>) -> Result<()> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        Err(anyhow!("panic: {text}"))
    })
}

fn results(
    experiment: &dyn AnyExperiment,
    plan: &Plan,
    request: &Request,
    kept: &[Kept],
    status: &str,
) -> Results {
    let several = experiment.uses_seed() && request.seeds.len() > 1;
    let runs: Vec<_> = kept.iter().map(|one| (one.seed, one.metrics.clone())).collect();
    let mut notes: Vec<String> = Vec::new();
    for note in kept.iter().flat_map(|one| &one.notes) {
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    if !experiment.uses_seed() && request.seeds.len() > 1 {
        notes.push("The numbers do not depend on the seed: one run serves all seeds.".to_owned());
    }
    if status != "complete" {
        notes.push(format!("The run was {status}: the numbers are a part of what was asked for."));
    }
    Results {
        schema: 1,
        experiment: experiment.name().to_owned(),
        preset: plan.resolved.preset.name().to_owned(),
        status: status.to_owned(),
        config_hash: plan.hash.clone(),
        seeds: kept.iter().map(|one| one.seed).collect(),
        metrics: aggregate(several, &runs),
        notes,
    }
}

/// Writes tables, figures and both reports from the results.
///
/// # Errors
/// A disk that cannot be written, or a config that is none of this experiment.
pub fn write_report(
    experiment: &dyn AnyExperiment,
    resolved: &Resolved,
    dir: &RunDir,
    results: &Results,
    environment: &Environment,
) -> Result<Presentation> {
    let mut presentation = experiment.present(&resolved.table, results)?;
    for table in &presentation.tables {
        dir.write(&format!("tables/{}.csv", table.name), table.to_csv()?)?;
    }
    report::add_kept_tables(dir, &mut presentation)?;
    for figure in &presentation.figures {
        dir.write(&format!("figures/{}.svg", figure.name), figure.standalone_svg())?;
    }
    let document = report::Document {
        title: experiment.title(),
        about: &resolved.about,
        config: resolved.to_toml()?,
        presentation: &presentation,
        results,
        environment,
    };
    dir.write("report.md", document.markdown())?;
    dir.write("report.html", document.html()?)?;
    Ok(presentation)
}
