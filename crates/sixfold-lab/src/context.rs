//! What an experiment sees while it runs.

use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use sixfold_model::{Observer, Step};

use crate::data::Locator;
use crate::error::doing;
use crate::interrupt::Interrupt;
use crate::progress::{Progress, Task};
use crate::record::{Labels, Metric};
use crate::rundir::RunDir;
use crate::table::Table;

/// Device, seed, data, progress, interruption and the record of one run with one seed.
#[derive(Debug)]
pub struct Context {
    pub(crate) device: String,
    pub(crate) seed: u64,
    pub(crate) online: bool,
    pub(crate) locator: Locator,
    pub(crate) progress: Progress,
    pub(crate) interrupt: Interrupt,
    pub(crate) dir: RunDir,
    pub(crate) kept: Kept,
}

/// What a run with one seed leaves; also the cell that `--resume` reads.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) seed: u64,
    pub(crate) metrics: Vec<Metric>,
    pub(crate) notes: Vec<String>,
}

/// A finished part of a run, as it lies in `cells/`.
#[derive(Serialize, Deserialize)]
struct StoredCell<T> {
    cell: String,
    seed: u64,
    value: T,
}

impl Context {
    /// Name of the device, for `sixfold_model::device`.
    pub fn device_name(&self) -> &str {
        &self.device
    }

    /// The root seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Whether the network may be used.
    pub fn online(&self) -> bool {
        self.online
    }

    /// Finds inputs.
    pub fn locator(&self) -> &Locator {
        &self.locator
    }

    /// Shows progress.
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// Whether a signal came; cheap to copy into loops.
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// Fails once a signal came; call it between two steps.
    ///
    /// # Errors
    /// [`LabError::Interrupted`](crate::LabError::Interrupted).
    pub fn check_interrupt(&self) -> Result<()> {
        self.interrupt.check()
    }

    /// An observer that shows the progress of a library's loop and stops it on a signal.
    pub fn observer(&self, unit: &str) -> ProgressObserver {
        ProgressObserver {
            progress: self.progress,
            interrupt: self.interrupt.clone(),
            unit: unit.to_owned(),
            task: None,
        }
    }

    /// Records one number of the result.
    pub fn record(&mut self, metric: Metric) {
        if !metric.value.is_finite() {
            let note = format!("{} is not a number at {}", metric.name, metric.place);
            self.note(note);
        }
        self.kept.metrics.push(metric);
    }

    /// Whether a number of this name and place is recorded already.
    pub fn has(&self, metric: &Metric) -> bool {
        let same = |one: &Metric| one.name == metric.name && one.place == metric.place;
        self.kept.metrics.iter().any(same)
    }

    /// Adds a sentence that a reader of the numbers has to know.
    pub fn note(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.kept.notes.contains(&text) {
            self.kept.notes.push(text);
        }
    }

    /// Adds a line to `metrics.jsonl`: a value on its way, such as the loss of a step.
    ///
    /// # Errors
    /// A disk that is full, naming the file.
    pub fn log(&self, step: u64, name: &str, place: &Labels, value: f64) -> Result<()> {
        self.dir.append_log(&json!({
            "t": crate::environment::now(),
            "seed": self.seed,
            "step": step,
            "name": name,
            "where": place,
            "value": value,
        }))
    }

    /// Writes `tables/<name>.csv`, for tables that do not follow from the metrics.
    ///
    /// # Errors
    /// As [`RunDir::write`].
    pub fn table(&self, table: &Table) -> Result<()> {
        self.dir.write(&format!("tables/{}.csv", table.name), table.to_csv()?)
    }

    /// A place below the run directory, for files that are no table, such as models.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Where a training of this run keeps its state, apart from those of other seeds.
    pub fn checkpoints(&self) -> PathBuf {
        self.dir.path().join("checkpoints").join(format!("seed-{}", self.seed))
    }

    /// Removes that state once everything that follows from it is measured.
    ///
    /// # Errors
    /// Any failure of the file system, naming the directory.
    pub fn forget_checkpoints(&self) -> Result<()> {
        let seed = self.checkpoints();
        if seed.is_dir() {
            fs::remove_dir_all(&seed).with_context(|| doing("remove", &seed))?;
            // The folder of all seeds goes with the last of them.
            let _ = seed.parent().map(fs::remove_dir);
        }
        Ok(())
    }

    /// Computes a part of the run, or reads it where an earlier run finished it.
    ///
    /// `key` names the part within the experiment; config, device and seed are already told
    /// apart. What `compute` records is not kept with the cell: return it and record it after.
    ///
    /// # Errors
    /// Those of `compute`, a signal that came before, and a disk that is full.
    pub fn cell<T: Serialize + DeserializeOwned>(
        &mut self,
        key: &str,
        compute: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        self.cell_of(self.seed, key, compute)
    }

    /// As [`cell`](Self::cell), of a part with a seed of its own, which all seeds of the run share.
    ///
    /// # Errors
    /// As [`cell`](Self::cell).
    pub fn cell_of<T: Serialize + DeserializeOwned>(
        &mut self,
        seed: u64,
        key: &str,
        compute: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let name = cell_name(seed, key);
        if let Ok(stored) = self.dir.read_json::<StoredCell<T>>(&name)
            && stored.cell == key
            && stored.seed == seed
        {
            self.progress.say(&format!("{key}: kept from the earlier run"));
            return Ok(stored.value);
        }
        self.check_interrupt()?;
        let value = compute(self)?;
        let stored = StoredCell { cell: key.to_owned(), seed, value };
        self.dir.write_json(&name, &stored)?;
        Ok(stored.value)
    }
}

/// A file name for any key: readable where it can be, and never the same for two keys.
fn cell_name(seed: u64, key: &str) -> String {
    let slug: String = key
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' })
        .take(40)
        .collect();
    let hash: String =
        Sha256::digest(key).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("cells/{seed}-{slug}-{hash}.json")
}

/// Shows the steps of a library's loop and stops it on a signal.
#[derive(Debug)]
pub struct ProgressObserver {
    progress: Progress,
    interrupt: Interrupt,
    unit: String,
    task: Option<Task>,
}

impl Observer for ProgressObserver {
    fn on_start(&mut self, what: &str, total: Option<usize>) {
        self.task = Some(self.progress.task(what, total.unwrap_or(0) as u64, &self.unit));
    }

    fn on_step(&mut self, step: &Step<'_>) -> ControlFlow<()> {
        if let Some(task) = &mut self.task {
            if task.done() == 0 {
                task.begin_at(step.index as u64);
            }
            task.advance((step.index as u64 + 1).saturating_sub(task.done()));
        }
        match self.interrupt.signal() {
            Some(_) => ControlFlow::Break(()),
            None => ControlFlow::Continue(()),
        }
    }

    fn on_end(&mut self, _what: &str) {
        self.task = None;
    }
}
