//! What surrounded a run: the content of `env.json`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::data::Fingerprint;

/// Machine, code and cost of a run. What cannot be found out is left empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Environment {
    /// The arguments, as they have to be typed again.
    pub command: String,
    /// Version of the lab.
    pub version: String,
    /// Commit of the working tree.
    pub git_commit: Option<String>,
    /// Whether the working tree had changes.
    pub git_dirty: Option<bool>,
    /// The branch, where there is one.
    pub git_branch: Option<String>,
    /// SHA-256 of the changes to tracked files, where there were any.
    pub git_diff_sha256: Option<String>,
    /// SHA-256 of `Cargo.lock`.
    pub cargo_lock_sha256: Option<String>,
    /// The compiler.
    pub rustc: String,
    /// Version of burn.
    pub burn: String,
    /// Features of this build.
    pub features: Vec<String>,
    /// Cargo profile (`debug` or `release` level) and target.
    pub build: String,
    /// Device of the run.
    pub device: String,
    /// Variables that change what is computed or how fast, as far as they were set: a fixed list, so that no secret
    /// is ever written down.
    pub variables: BTreeMap<String, String>,
    /// What the inputs held.
    pub inputs: Vec<Fingerprint>,
    /// Operating system and kernel.
    pub os: String,
    /// Processor.
    pub cpu: Option<String>,
    /// Name, driver and memory of the GPUs, where the device is one of NVIDIA's.
    pub gpus: Vec<String>,
    /// Threads that this process may use.
    pub cores: usize,
    /// Memory of the machine in bytes.
    pub memory_bytes: Option<u64>,
    /// Begin of the run, UTC.
    pub started: String,
    /// Wall time in seconds.
    pub wall_seconds: f64,
    /// Processor time of all threads in seconds.
    pub cpu_seconds: Option<f64>,
    /// Largest resident memory of the process in bytes.
    pub peak_rss_bytes: Option<u64>,
}

/// The variables that `env.json` keeps.
const VARIABLES: [&str; 10] = [
    "BURN_DEVICE",
    "CUDA_VISIBLE_DEVICES",
    "OMP_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "RUST_LOG",
    "SIXFOLD_CACHE",
    "SIXFOLD_DATA",
    "SIXFOLD_REPO",
    "SLURM_ARRAY_TASK_ID",
    "SLURM_JOB_ID",
];

/// Measures the time of a run from its making.
#[derive(Debug)]
pub struct Clock {
    wall: Instant,
    cpu: Option<f64>,
    started: String,
}

impl Clock {
    /// Starts now.
    pub fn start() -> Self {
        Self { wall: Instant::now(), cpu: cpu_seconds(), started: now() }
    }

    /// Seconds since the start.
    pub fn seconds(&self) -> f64 {
        self.wall.elapsed().as_secs_f64()
    }
}

/// The time now, UTC, as in RFC 3339 without fractions.
pub(crate) fn now() -> String {
    let format =
        time::macros::format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    time::OffsetDateTime::now_utc().format(format).unwrap_or_default()
}

/// Seconds since 1970 of what [`now`] gave.
pub(crate) fn seconds_of(text: &str) -> Option<i64> {
    let (date, clock) = text.strip_suffix('Z')?.split_once('T')?;
    let numbers = |text: &str, by: char| -> Option<[u16; 3]> {
        let found: Vec<u16> = text.split(by).map(str::parse).collect::<Result<_, _>>().ok()?;
        found.try_into().ok()
    };
    let ([year, month, day], [hour, minute, second]) = (numbers(date, '-')?, numbers(clock, ':')?);
    let [month, day, hour, minute, second] =
        [month, day, hour, minute, second].map(|n| u8::try_from(n).unwrap_or(u8::MAX));
    let month = time::Month::try_from(month).ok()?;
    let date = time::Date::from_calendar_date(year.into(), month, day).ok()?;
    Some(date.with_hms(hour, minute, second).ok()?.assume_utc().unix_timestamp())
}

/// The environment of a run of `command` on `device`, up to now; inputs are the caller's.
pub(crate) fn capture(command: &str, device: &str, repo: &Path, clock: &Clock) -> Environment {
    let status = git(repo, &["status", "--porcelain"]);
    let sha256 = |bytes: &[u8]| Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
    let changes = git(repo, &["diff", "HEAD"]).filter(|changes| !changes.is_empty());
    Environment {
        command: command.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        git_commit: git(repo, &["rev-parse", "HEAD"]).filter(|commit| !commit.is_empty()),
        git_dirty: status.map(|changes| !changes.is_empty()),
        git_branch: git(repo, &["branch", "--show-current"]).filter(|branch| !branch.is_empty()),
        git_diff_sha256: changes.map(|changes| sha256(changes.as_bytes())),
        cargo_lock_sha256: fs::read(repo.join("Cargo.lock")).ok().map(|bytes| sha256(&bytes)),
        rustc: env!("SIXFOLD_RUSTC").to_owned(),
        burn: env!("SIXFOLD_BURN").to_owned(),
        features: features(),
        build: format!("{} for {}", env!("SIXFOLD_PROFILE"), env!("SIXFOLD_TARGET")),
        device: device.to_owned(),
        variables: VARIABLES
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)))
            .collect(),
        inputs: Vec::new(),
        os: os(),
        cpu: field("/proc/cpuinfo", "model name"),
        gpus: if device.starts_with("cuda") { gpus() } else { Vec::new() },
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        memory_bytes: field("/proc/meminfo", "MemTotal").as_deref().and_then(kilobytes),
        started: clock.started.clone(),
        ..Environment::default()
    }
    .at(clock)
}

impl Environment {
    /// The same with what the run cost until now.
    pub(crate) fn at(self, clock: &Clock) -> Self {
        Self {
            wall_seconds: (clock.seconds() * 1000.0).round() / 1000.0,
            cpu_seconds: clock.cpu.zip(cpu_seconds()).map(|(start, end)| (end - start).max(0.0)),
            peak_rss_bytes: field("/proc/self/status", "VmHWM").as_deref().and_then(kilobytes),
            ..self
        }
    }
}

fn features() -> Vec<String> {
    [
        (cfg!(feature = "flex"), "flex"),
        (cfg!(feature = "ndarray"), "ndarray"),
        (cfg!(feature = "cuda"), "cuda"),
        (cfg!(feature = "wgpu"), "wgpu"),
        (cfg!(feature = "hub"), "hub"),
    ]
    .into_iter()
    .filter(|(on, _)| *on)
    .map(|(_, name)| name.to_owned())
    .collect()
}

fn git(repo: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(repo).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// What NVIDIA's own program says; nothing where it is absent.
fn gpus() -> Vec<String> {
    let query = ["--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"];
    let output = Command::new("nvidia-smi").args(query).output();
    let Some(output) = output.ok().filter(|output| output.status.success()) else {
        return Vec::new();
    };
    String::from_utf8_lossy(&output.stdout).lines().map(|line| line.trim().to_owned()).collect()
}

fn os() -> String {
    let name = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = name
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))
        .map_or(std::env::consts::OS, |name| name.trim_matches('"'));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{name} {}", kernel.trim()).trim().to_owned()
}

/// The value behind `name:` in a file of `/proc`.
fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn kilobytes(text: &str) -> Option<u64> {
    Some(text.trim_end_matches("kB").trim().parse::<u64>().ok()? * 1024)
}

/// User and system time of this process so far. Linux counts both in hundredths of a second
/// whatever the kernel's own tick is.
pub(crate) fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let after_name = stat.rsplit_once(')')?.1;
    let ticks: Vec<f64> =
        after_name.split_whitespace().skip(11).take(2).filter_map(|t| t.parse().ok()).collect();
    (ticks.len() == 2).then(|| (ticks[0] + ticks[1]) / 100.0)
}
