//! `sweep`.

use std::path::Path;

use anyhow::Result;

use crate::cli::{Chosen, Common, RunArgs, Seeds, SweepArgs, start_log};
use crate::data::Locator;
use crate::error::{config, missing, one_line};
use crate::experiment::Registry;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::runner::{Session, quoted};
use crate::sweep::{
    Cluster, Launcher, Row, Sheet, Sweep, Workers, is_queued, is_sweep, wait, write_index,
};
use crate::table::{Cell, Table};
use crate::terminal::{print, say};

/// Runs one experiment over a grid of values.
pub(crate) fn sweep(registry: &Registry, arguments: &SweepArgs) -> Result<()> {
    if let Some(index) = arguments.cell {
        return cell(registry, arguments, index);
    }
    let Asked { mut sweep, devices, resumed } = asked(registry, arguments)?;
    sweep.check(&devices)?;
    let cells = 0..sweep.cells.len();
    let todo: Vec<usize> = match resumed {
        true => cells.filter(|&index| !sweep.is_complete(&sweep.cells[index])).collect(),
        false => cells.collect(),
    };
    if arguments.dry_run {
        return describe(&sweep, &todo, resumed);
    }
    if let Some(job) = sweep.sheet.job.take()
        && is_queued(&job).unwrap_or(false)
    {
        return Err(config(format!(
            "--resume: job {job} still has tasks in the queue: wait for them, or scancel {job}"
        )));
    }
    let interrupt = Interrupt::patient()?;
    let ended = match sweep.sheet.launcher {
        Launcher::Local => {
            let progress = Progress::detect(arguments.quiet);
            let workers = Workers::new(&sweep, &devices, arguments.jobs, &todo, progress)?;
            sweep.write(resumed, arguments.force)?;
            workers.run(&interrupt)
        }
        Launcher::Slurm => {
            let cluster = Cluster {
                options: arguments.slurm.clone(),
                warning: arguments.slurm_signal,
                jobs: arguments.jobs,
            };
            cluster.check(&sweep.sheet)?;
            sweep.write(resumed, arguments.force)?;
            if !todo.is_empty() && !submitted(&cluster, &mut sweep, &todo, arguments, &interrupt)? {
                return Ok(());
            }
            sweep.verdict()
        }
    };
    // What there is stands in the index, however the sweep ended.
    let index = write_index(&sweep);
    if let Ok(table) = &index {
        let page = sweep.path.join("index.html");
        print(&format!("{}\n\n{}\n", table.to_terminal(), page.display()))?;
    }
    ended.and(index.map(|_| ()))
}

/// Submits the job, and waits for it if that was asked for; false where it was not.
fn submitted(
    cluster: &Cluster,
    sweep: &mut Sweep<'_>,
    todo: &[usize],
    arguments: &SweepArgs,
    interrupt: &Interrupt,
) -> Result<bool> {
    let job = cluster.submit(sweep, todo)?;
    sweep.sheet.job = Some(job.clone());
    sweep.sheet.write(&sweep.path)?;
    let path = sweep.path.display().to_string();
    if !arguments.quiet {
        let all = sweep.cells.len();
        say(&format!("job {job}: {} of {all} cells in {path}", todo.len()));
    }
    if arguments.wait {
        wait(&job, interrupt)?;
        return Ok(true);
    }
    let command = format!("cargo xtask experiment report {}", quoted(&path));
    print(&format!("job {job}; once it is done, this makes the index:\n{command}\n"))?;
    Ok(false)
}

/// A sweep that was asked for.
struct Asked<'a> {
    sweep: Sweep<'a>,
    /// The devices of this call; the sheet has those of earlier calls too.
    devices: Vec<String>,
    resumed: bool,
}

/// The sweep of the command line, or the one that lies in `--out`.
fn asked<'a>(registry: &'a Registry, arguments: &SweepArgs) -> Result<Asked<'a>> {
    let SweepArgs { name, out, resume, .. } = arguments;
    let given = &arguments.device;
    let mut sheet = match (name, out) {
        (Some(name), _) => Sheet {
            schema: 1,
            experiment: name.clone(),
            preset: arguments.preset.name().to_owned(),
            arguments: arguments.arguments.clone(),
            devices: if given.is_empty() { vec!["flex".to_owned()] } else { given.clone() },
            seeds: arguments.seeds.0.clone(),
            data: None,
            online: false,
            launcher: Launcher::Local,
            hash: String::new(),
            started: String::new(),
            job: None,
        },
        (None, Some(out)) if *resume => Sheet::read(out)?,
        (None, _) => {
            return Err(config("command line: name an experiment, or add --resume to --out DIR"));
        }
    };
    let mut sweep = Sweep::plan(registry, sheet.clone())?;
    let earlier = match (resume, out) {
        (false, _) => None,
        (true, Some(out)) => is_sweep(out).then(|| out.clone()),
        (true, None) => sweep.latest(),
    };
    if let Some(earlier) = &earlier {
        let kept = Sheet::read(earlier)?;
        sweep.same_as(&kept, earlier)?;
        sheet = kept;
    }
    let devices = if given.is_empty() { sheet.devices.clone() } else { given.clone() };
    for device in &devices {
        if !sheet.devices.contains(device) {
            sheet.devices.push(device.clone());
        }
    }
    sheet.data = arguments.data.clone().or(sheet.data);
    sheet.online |= arguments.online;
    sheet.launcher = arguments.launcher.unwrap_or(sheet.launcher);
    let fresh = || out.clone().unwrap_or_else(|| sweep.new_directory());
    let (path, resumed) = (earlier.clone().unwrap_or_else(fresh), earlier.is_some());
    sweep.take(sheet, path);
    Ok(Asked { sweep, devices, resumed })
}

/// The dry run: every cell, its directory, and what is missing.
fn describe(sweep: &Sweep<'_>, todo: &[usize], resumed: bool) -> Result<()> {
    let mut table = Table::new("cells", "", ["cell", "directory", "config hash", ""]);
    let locator = Locator::new(sweep.sheet.data.clone());
    let mut absent: Vec<String> = Vec::new();
    for cell in &sweep.cells {
        let to_do = todo.contains(&cell.row.index);
        for input in sweep.experiment.inputs(&cell.resolved.table)?.iter().filter(|_| to_do) {
            let line = locator.check(input).map_err(|error| one_line(&error));
            absent.extend(line.err().filter(|line| !absent.contains(line)));
        }
        table.push([
            Cell::from(cell.label()),
            Cell::from(cell.row.directory.as_str()),
            Cell::from(&cell.row.config_hash[..8]),
            Cell::from(if to_do { "" } else { "complete" }),
        ]);
    }
    let kept = if resumed { " (resumed)" } else { "" };
    let mut text = format!("{}\n\n# {} of ", table.to_terminal(), todo.len());
    text += &format!("{} cells to run, in {}{kept}\n", sweep.cells.len(), sweep.path.display());
    for line in &absent {
        text += &format!("# MISSING: {line}\n");
    }
    print(&text)?;
    match absent.len() {
        0 => Ok(()),
        count => {
            let name = sweep.experiment.name();
            Err(missing(format!("{name}: {count} of its inputs are missing")))
        }
    }
}

/// One cell in this process, as a task of an array job.
fn cell(registry: &Registry, arguments: &SweepArgs, index: usize) -> Result<()> {
    let out = arguments.out.as_deref().unwrap_or(Path::new("."));
    let sheet = Sheet::read(out)?;
    let row = Row::read_all(out)?.into_iter().find(|row| row.index == index);
    let row = row.ok_or_else(|| config(format!("--cell: there is no cell {index}")))?;
    let run = RunArgs {
        chosen: Chosen {
            name: sheet.experiment.clone(),
            preset: sheet.preset()?,
            overrides: row.overrides,
        },
        common: Common {
            device: sheet.devices[0].clone(),
            data: sheet.data.clone(),
            force: false,
            online: sheet.online,
            verbose: 0,
            quiet: arguments.quiet,
            no_progress: false,
        },
        seeds: Seeds(sheet.seeds.clone()),
        out: Some(out.join(row.directory)),
        resume: Some(None),
        fail_above: None,
        tensorboard: false,
        dry_run: false,
        json: false,
    };
    start_log(&run.common);
    super::run::run_in(registry, &run, || {
        Ok(Session {
            locator: Locator::new(run.common.data.clone()),
            progress: Progress::detect(run.common.quiet),
            // scancel signals the shell and the run at once, and the shell passes it on.
            interrupt: Interrupt::patient()?,
        })
    })
}
