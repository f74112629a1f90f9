//! Seconds of the stages of a run.

use std::time::Instant;

use crate::environment::cpu_seconds;
use crate::record::{Better, Metric};

/// Measures from its making: processor time of all threads where the system tells it, else wall time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stopwatch {
    cpu: Option<f64>,
    wall: Instant,
}

impl Stopwatch {
    pub(super) fn start() -> Self {
        Self { cpu: cpu_seconds(), wall: Instant::now() }
    }

    /// Seconds so far.
    pub(super) fn seconds(&self) -> f64 {
        match self.cpu.zip(cpu_seconds()) {
            Some((start, end)) => end - start,
            None => self.wall.elapsed().as_secs_f64(),
        }
    }
}

/// `cpu_seconds` of a stage.
pub(super) fn stage(name: &str, seconds: f64) -> Metric {
    let unit = if cpu_seconds().is_some() { "s (CPU)" } else { "s (wall)" };
    Metric::new("cpu_seconds", seconds).at("stage", name).unit(unit).better(Better::Lower)
}
