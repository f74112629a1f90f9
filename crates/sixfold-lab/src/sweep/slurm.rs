//! Cells as tasks of one array job of Slurm.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};

use super::plan::Sweep;
use super::sheet::Sheet;
use crate::atomic::atomic_write;
use crate::error::{LabError, config};
use crate::interrupt::Interrupt;
use crate::runner::quoted;

const SCRIPT: &str = "sweep.sbatch";

/// How the job is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    /// Options of sbatch without their dashes, such as `time=01:00:00`.
    pub(crate) options: Vec<String>,
    /// Seconds before the time limit at which a task is warned.
    pub(crate) warning: u32,
    /// Most tasks at a time.
    pub(crate) jobs: Option<usize>,
}

/// Where the output of a task goes.
pub(super) fn log(sweep: &Path, index: usize) -> PathBuf {
    sweep.join(format!("cells/{index:03}.slurm.log"))
}

impl Cluster {
    /// Fails where the job could not be written down, before anything is.
    ///
    /// # Errors
    /// Exit code 2: no Slurm here, options that make no line of a script, several devices.
    pub(crate) fn check(&self, sheet: &Sheet) -> Result<()> {
        if sheet.devices.len() > 1 {
            return Err(config(
                "--device: a task of Slurm has one device; ask for it by --slurm, as in \
                 --device cuda --slurm gres=gpu:1",
            ));
        }
        for option in &self.options {
            let name = option.split('=').next().unwrap_or_default();
            let plain = |c: char| c.is_ascii_lowercase() || c == '-';
            let refused = matches!(name, "array" | "output" | "wrap" | "parsable" | "wait");
            if name.is_empty() || name.starts_with('-') || !name.chars().all(plain) || refused {
                return Err(config(format!(
                    "--slurm: `{option}` cannot be given: write an option of sbatch without its \
                     dashes, as in time=01:00:00"
                )));
            }
            if option.contains('\n') {
                return Err(config(format!("--slurm: {name} holds a line break")));
            }
        }
        let found = Command::new("sbatch").arg("--version").stdout(Stdio::null()).status();
        match found.is_ok_and(|status| status.success()) {
            true => Ok(()),
            false => Err(config("--launcher slurm: there is no sbatch on the PATH")),
        }
    }

    /// Writes the script and submits the job for the cells `todo`; gives its number.
    ///
    /// # Errors
    /// Exit code 2 with sbatch's own words where it refuses the job.
    pub(crate) fn submit(&self, sweep: &Sweep<'_>, todo: &[usize]) -> Result<String> {
        let path = std::path::absolute(&sweep.path).context("cannot find this directory")?;
        let script = path.join(SCRIPT);
        atomic_write(&script, self.script(sweep, &path, todo)?)?;
        let output = Command::new("sbatch").arg("--parsable").arg(&script).output();
        let output = output.context("cannot run sbatch")?;
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr);
            let words: Vec<&str> = words.lines().map(str::trim).collect();
            return Err(config(words.join("; ")));
        }
        // `job;cluster` where there are several clusters.
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text.trim().split(';').next().unwrap_or_default().to_owned())
    }

    fn script(&self, sweep: &Sweep<'_>, path: &Path, todo: &[usize]) -> Result<String> {
        let program = std::env::current_exe().context("cannot find this program")?;
        let mut text = String::from("#!/bin/bash\n");
        // Slurm reads `%` in a file name as a pattern.
        let output = log(path, 0).display().to_string().replace('%', "%%");
        let output = output.replace("000.slurm.log", "%3a.slurm.log");
        let width = self.jobs.map(|jobs| format!("%{jobs}")).unwrap_or_default();
        let own = [
            format!("job-name={}", sweep.sheet.experiment.replace('/', "-")),
            format!("array={}{width}", ranges(todo)),
            format!("output={}", directive(&output)),
            format!("signal=B:USR1@{}", self.warning),
            "open-mode=append".to_owned(),
            "requeue".to_owned(),
        ];
        for option in own.iter().chain(&self.options) {
            let _ = writeln!(text, "#SBATCH --{option}");
        }
        let program = quoted(&program.display().to_string());
        let path = quoted(&path.display().to_string());
        let _ = write!(text, "\n{}", BODY.replace("@PROGRAM@", &program).replace("@SWEEP@", &path));
        Ok(text)
    }
}

/// One cell of the array. The shell hears the signals, not the run; `wait` ends early when it does.
const BODY: &str = r#"# One task, one cell; written by `cargo xtask experiment sweep --launcher slurm`.
run=
trap '[ -z "$run" ] || kill -USR1 "$run" 2>/dev/null' USR1
trap '[ -z "$run" ] || kill -TERM "$run" 2>/dev/null' TERM
export RAYON_NUM_THREADS=${RAYON_NUM_THREADS:-${SLURM_CPUS_PER_TASK:-${SLURM_CPUS_ON_NODE:-1}}}
@PROGRAM@ sweep --cell "$SLURM_ARRAY_TASK_ID" --out @SWEEP@ &
run=$!
while wait "$run"; code=$?; kill -0 "$run" 2>/dev/null; do :; done
# 138: the run has kept its state after USR1, and wants to go on. A hundred times is enough for
# any run that comes forward at all.
if [ "$code" -eq 138 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 100 ]; then
  scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
fi
exit "$code"
"#;

/// Whether tasks of `job` are still to come or under way.
///
/// # Errors
/// A queue that cannot be asked.
pub(crate) fn is_queued(job: &str) -> Result<bool> {
    let output = Command::new("squeue").args(["--noheader", "--format=%T", "--jobs", job]).output();
    let output = output.context("cannot run squeue")?;
    let words = String::from_utf8_lossy(&output.stderr);
    // A job that has been gone for some minutes is not known any more.
    if !output.status.success() && !words.contains("Invalid job id") {
        return Err(anyhow!("squeue: {}", words.trim()));
    }
    Ok(!output.stdout.is_empty())
}

/// Waits for the last task of `job`, requeued ones included.
///
/// # Errors
/// A signal; the job goes on.
pub(crate) fn wait(job: &str, interrupt: &Interrupt) -> Result<()> {
    // A controller that is busy for a moment is no reason to give up.
    let mut failures = 0;
    loop {
        match is_queued(job) {
            Ok(false) => return Ok(()),
            Ok(true) => failures = 0,
            Err(error) if failures >= 10 => return Err(error),
            Err(_) => failures += 1,
        }
        for _ in 0..20 {
            if let Some(signal) = interrupt.take() {
                let error = anyhow::Error::from(LabError::Interrupted { signal });
                return Err(error.context(format!("job {job} goes on; scancel {job} ends it")));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// `0-3,5` for 0, 1, 2, 3, 5.
fn ranges(indices: &[usize]) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for &index in indices {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == index => *last = index,
            _ => runs.push((index, index)),
        }
    }
    let shown = |&(first, last): &(usize, usize)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    };
    runs.iter().map(shown).collect::<Vec<_>>().join(",")
}

/// The value of a `#SBATCH` line, quoted.
fn directive(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}
