//! Progress on stderr: bars on a terminal, a plain line every few seconds elsewhere.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Time between two plain lines.
const EVERY: Duration = Duration::from_secs(5);

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Bars, redrawn in place.
    Bars,
    /// Plain lines.
    Lines,
    /// Nothing.
    Off,
}

impl Progress {
    /// Bars on a terminal, lines elsewhere, nothing where it was switched off.
    pub fn detect(off: bool) -> Self {
        match (off, std::io::stderr().is_terminal()) {
            (true, _) => Self::Off,
            (false, true) => Self::Bars,
            (false, false) => Self::Lines,
        }
    }

    /// One line that stays, such as "seed 2 of 3".
    pub fn say(self, text: &str) {
        if self != Self::Off {
            // Nobody to tell when stderr is closed.
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }

    /// Begins a task of `total` steps, or of unknown length with 0.
    pub fn task(self, what: &str, total: u64, unit: &str) -> Task {
        let bar = (self == Self::Bars).then(|| bar(what, total, unit));
        let now = Instant::now();
        Task {
            bar,
            lines: self == Self::Lines,
            what: what.to_owned(),
            unit: unit.to_owned(),
            said: String::new(),
            total,
            done: 0,
            before: 0,
            start: now,
            last: now,
        }
    }
}

fn bar(what: &str, total: u64, unit: &str) -> ProgressBar {
    let (bar, template) = if total == 0 {
        (ProgressBar::no_length(), "{spinner} {prefix}: {human_pos} {msg} ({elapsed})")
    } else {
        (
            ProgressBar::new(total),
            "{prefix:24!} {wide_bar} {human_pos}/{human_len} {msg} ({per_sec}, {eta} left)",
        )
    };
    bar.set_draw_target(ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_prefix(what.to_owned());
    bar.set_message(unit.to_owned());
    bar
}

/// A task under way; the bar goes when it is dropped.
#[derive(Debug)]
pub struct Task {
    bar: Option<ProgressBar>,
    lines: bool,
    what: String,
    unit: String,
    said: String,
    total: u64,
    done: u64,
    /// Steps that an earlier run had done.
    before: u64,
    start: Instant,
    last: Instant,
}

impl Task {
    /// An earlier run had done so many steps: they say nothing of how long the others take.
    pub fn begin_at(&mut self, steps: u64) {
        (self.done, self.before) = (steps, steps);
        if let Some(bar) = &self.bar {
            bar.set_position(steps);
            bar.reset_eta();
        }
    }

    /// `steps` more are done.
    pub fn advance(&mut self, steps: u64) {
        self.done += steps;
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
        } else if self.lines && self.last.elapsed() >= EVERY {
            self.last = Instant::now();
            let _ = writeln!(std::io::stderr(), "{}", self.line());
        }
    }

    /// What stands behind the unit from now on, such as the objective.
    pub fn say(&mut self, text: &str) {
        self.said = format!(", {text}");
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{}{}", self.unit, self.said));
        }
    }

    /// Steps done so far.
    pub fn done(&self) -> u64 {
        self.done
    }

    fn line(&self) -> String {
        let Self { what, unit, said, total, done, before, .. } = self;
        let seconds = self.start.elapsed().as_secs_f64();
        let rate = (done - before) as f64 / seconds.max(1e-9);
        if *total == 0 {
            return format!("{what}: {done} {unit}, {seconds:.0} s{said}");
        }
        let left = total.saturating_sub(*done) as f64 / rate.max(1e-9);
        let percent = 100.0 * *done as f64 / *total as f64;
        format!("{what}: {done}/{total} {unit} ({percent:.0} %), {left:.0} s left{said}")
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_an_earlier_run_do_not_count_as_fast() {
        let mut task = Progress::Off.task("train", 100, "steps");
        task.start -= Duration::from_secs(10);
        task.begin_at(50);
        task.advance(10);
        assert_eq!(task.line(), "train: 60/100 steps (60 %), 40 s left");
    }
}
