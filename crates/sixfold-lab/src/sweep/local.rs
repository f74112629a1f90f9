//! Cells as processes of this machine, taken from one queue.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};

use super::child::Running;
use super::plan::Sweep;
use crate::error::{LabError, config, missing, signal_name};
use crate::format::duration;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::terminal::say;

/// Time between two looks at the processes.
const LOOK: Duration = Duration::from_millis(20);

/// Workers that take cells, each with one device.
pub(crate) struct Workers<'a> {
    sweep: &'a Sweep<'a>,
    devices: Vec<String>,
    /// Cells to do, each with the device on which it has to go on.
    queue: VecDeque<(usize, Option<String>)>,
    progress: Progress,
    program: PathBuf,
    threads: usize,
    done: usize,
}

/// How the cells ended.
#[derive(Default)]
struct Tally {
    codes: Vec<i32>,
    signal: Option<i32>,
}

impl<'a> Workers<'a> {
    /// `jobs` workers over `devices` for the cells `todo`.
    ///
    /// # Errors
    /// Exit code 2: fewer jobs than devices, or a cell begun on a device that is not given now.
    pub(crate) fn new(
        sweep: &'a Sweep<'a>,
        devices: &[String],
        jobs: Option<usize>,
        todo: &[usize],
        progress: Progress,
    ) -> Result<Self> {
        let jobs = jobs.unwrap_or(devices.len());
        if jobs < devices.len() {
            return Err(config(format!("--jobs: {jobs} cannot serve {} devices", devices.len())));
        }
        let mut queue = VecDeque::new();
        for &index in todo {
            let cell = &sweep.cells[index];
            let device = sweep.begun_on(cell)?.map(str::to_owned);
            if let Some(device) = device.as_ref().filter(|device| !devices.contains(device)) {
                return Err(config(format!(
                    "--device: cell {} was begun on {device}: name it too",
                    cell.name()
                )));
            }
            queue.push_back((index, device));
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let busy = jobs.min(todo.len()).max(1);
        Ok(Self {
            sweep,
            devices: devices.iter().cycle().take(jobs).cloned().collect(),
            queue,
            progress,
            program: std::env::current_exe().context("cannot find this program")?,
            threads: (cores / busy).max(1),
            done: sweep.cells.len() - todo.len(),
        })
    }

    /// Runs all cells. One that fails does not keep the others from running.
    ///
    /// # Errors
    /// The signal that ended the sweep, passed on to the cells; cells that did not finish.
    pub(crate) fn run(mut self, interrupt: &Interrupt) -> Result<()> {
        let mut tally = Tally::default();
        let mut busy: Vec<Option<Running>> = self.devices.iter().map(|_| None).collect();
        let ended = self.work(interrupt, &mut busy, &mut tally);
        if let Err(error) = ended {
            // Nobody is left to look after the others.
            busy.iter_mut().flatten().for_each(Running::kill);
            return Err(error);
        }
        self.verdict(&tally)
    }

    fn work(
        &mut self,
        interrupt: &Interrupt,
        busy: &mut [Option<Running>],
        tally: &mut Tally,
    ) -> Result<()> {
        let mut asked = 0;
        loop {
            if let Some(signal) = interrupt.take() {
                tally.signal = Some(signal);
                asked += 1;
                for running in busy.iter_mut().flatten() {
                    match asked {
                        1 | 2 => running.signal(signal),
                        _ => running.kill(),
                    }
                }
            }
            for (device, slot) in self.devices.clone().iter().zip(busy.iter_mut()) {
                if let Some(running) = slot {
                    let Some(code) = running.ended()? else { continue };
                    self.tell(running, code);
                    tally.codes.push(code);
                    *slot = None;
                }
                if tally.signal.is_none() {
                    *slot = self.next(device)?;
                }
            }
            if busy.iter().all(Option::is_none) {
                return Ok(());
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Starts the next cell that can run on `device`.
    fn next(&mut self, device: &str) -> Result<Option<Running>> {
        let fits = |(_, on): &(usize, Option<String>)| on.as_ref().is_none_or(|on| on == device);
        let found = self.queue.iter().position(fits).and_then(|place| self.queue.remove(place));
        let Some((index, _)) = found else { return Ok(None) };
        let cell = &self.sweep.cells[index];
        self.progress.say(&format!("cell {} started on {device}", cell.name()));
        Running::start(&self.program, self.sweep, cell, device, self.threads).map(Some)
    }

    fn tell(&mut self, running: &Running, code: i32) {
        let cell = &self.sweep.cells[running.cell];
        let (name, took) = (cell.name(), duration(running.seconds()));
        match code {
            0 => {
                self.done += 1;
                let (done, all) = (self.done, self.sweep.cells.len());
                self.progress.say(&format!("cell {name} complete after {took} ({done} of {all})"));
            }
            130 | 138 | 143 => self.progress.say(&format!(
                "cell {name} interrupted by {} after {took}",
                signal_name(code - 128)
            )),
            // A failure is told even where progress is not.
            129.. => say(&format!("cell {name} ended by signal {} after {took}", code - 128)),
            _ => {
                let why = self.sweep.complaint(cell);
                say(&format!("cell {name} failed after {took}, exit code {code}: {why}"));
            }
        }
    }

    fn verdict(&self, tally: &Tally) -> Result<()> {
        if let Some(signal) = tally.signal {
            return Err(LabError::Interrupted { signal }.into());
        }
        let all = self.sweep.cells.len();
        let failed = tally.codes.iter().filter(|code| **code != 0).count();
        match failed {
            0 => Ok(()),
            _ if failed == all && tally.codes.iter().all(|code| *code == 3) => {
                let reason = self.sweep.state(&self.sweep.cells[0]).reason().to_owned();
                Err(missing(format!("all {all} cells lack an input: {reason}")))
            }
            _ => Err(anyhow!("{failed} of {all} cells did not finish")),
        }
    }
}
