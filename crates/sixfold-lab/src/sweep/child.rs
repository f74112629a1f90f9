//! A cell as a process of its own.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result};

use super::plan::{Cell, Sweep};
use crate::error::doing;

/// The run of one cell.
pub(crate) struct Running {
    /// Position of the cell.
    pub(crate) cell: usize,
    child: Child,
    began: Instant,
    /// Where the output goes, and where it belongs once there is a run directory.
    log: PathBuf,
    dir: PathBuf,
}

impl Running {
    /// Starts `run` for a cell on `device`, with `threads` threads unless the user has set them.
    ///
    /// # Errors
    /// A log that cannot be written, or a program that cannot be started.
    pub(crate) fn start(
        program: &Path,
        sweep: &Sweep<'_>,
        cell: &Cell,
        device: &str,
        threads: usize,
    ) -> Result<Self> {
        let dir = sweep.dir(cell);
        // A run wants its directory empty, so until there is one the log lies beside it.
        let log = match dir.join("status.json").is_file() {
            true => dir.join("run.log"),
            false => cell.row.log_beside(&sweep.path),
        };
        let out = OpenOptions::new().create(true).append(true).open(&log);
        let out = out.with_context(|| doing("write", &log))?;
        let copy = |file: &File| file.try_clone().with_context(|| doing("write", &log));
        let mut command = Command::new(program);
        command.args(run_arguments(sweep, cell, device)).stdin(Stdio::null());
        command.stdout(copy(&out)?).stderr(out);
        if std::env::var_os("RAYON_NUM_THREADS").is_none() {
            command.env("RAYON_NUM_THREADS", threads.to_string());
        }
        // Ctrl-C of a terminal reaches the whole group: a run would hear it twice, the second
        // time from here, and stop without keeping anything.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = command.spawn().with_context(|| doing("start", program))?;
        Ok(Self { cell: cell.row.index, child, began: Instant::now(), log, dir })
    }

    /// The exit code, once the process has ended; 128 + the signal that ended it.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn ended(&mut self) -> Result<Option<i32>> {
        let status = self.child.try_wait().context("cannot wait for a cell")?;
        if status.is_some() && self.dir.join("status.json").is_file() {
            let target = self.dir.join("run.log");
            if self.log != target {
                fs::rename(&self.log, &target).with_context(|| doing("write", &target))?;
            }
        }
        Ok(status.map(code))
    }

    /// Wall time so far.
    pub(crate) fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    /// Passes a signal on.
    pub(crate) fn signal(&mut self, number: i32) {
        // The shell's own `kill` is everywhere; a process that has just ended is no failure.
        let command = format!("kill -{number} {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &command]).stderr(Stdio::null()).status();
        if sent.is_err() {
            self.kill();
        }
    }

    /// Ends the process at once.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
    }
}

/// The command line of a cell.
fn run_arguments(sweep: &Sweep<'_>, cell: &Cell, device: &str) -> Vec<std::ffi::OsString> {
    let sheet = &sweep.sheet;
    let seeds: Vec<String> = sheet.seeds.iter().map(u64::to_string).collect();
    let mut words = vec!["run".to_owned(), sheet.experiment.clone()];
    words.extend(cell.row.overrides.iter().cloned());
    words.extend(["--preset", &sheet.preset, "--device", device, "--seeds"].map(str::to_owned));
    words.push(seeds.join(","));
    if sheet.online {
        words.push("--online".to_owned());
    }
    let mut words: Vec<std::ffi::OsString> = words.into_iter().map(Into::into).collect();
    if let Some(data) = &sheet.data {
        words.extend(["--data".into(), data.into()]);
    }
    words.extend(["--out".into(), sweep.dir(cell).into(), "--resume".into()]);
    words
}

fn code(status: ExitStatus) -> i32 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return 128 + signal;
    }
    status.code().unwrap_or(1)
}
