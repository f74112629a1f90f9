//! A sweep before anything runs: every cell resolved, every directory named.

use std::path::{Path, PathBuf};

use anyhow::Result;
use sha2::{Digest, Sha256};

use super::grid::{Axis, axes, product};
use super::sheet::{self, Row, Sheet};
use crate::config::{Override, Resolved};
use crate::environment::now;
use crate::error::config;
use crate::experiment::{AnyExperiment, Registry};
use crate::runner::{Request, new_directory, plan, quoted};

/// One combination of values.
#[derive(Debug)]
pub(crate) struct Cell {
    /// Its line in `sweep.jsonl`.
    pub(crate) row: Row,
    /// The swept keys with their values.
    pub(crate) swept: Vec<(String, String)>,
    /// Its config.
    pub(crate) resolved: Resolved,
}

impl Cell {
    /// The last part of its directory, for messages.
    pub(crate) fn name(&self) -> &str {
        self.row.directory.rsplit('/').next().unwrap_or_default()
    }

    /// `lr=0.1 rank=8`, or the whole config where nothing is swept.
    pub(crate) fn label(&self) -> String {
        let parts = self.swept.iter().map(|(key, value)| format!("{key}={value}"));
        match self.swept.is_empty() {
            true => "the config".to_owned(),
            false => parts.collect::<Vec<_>>().join(" "),
        }
    }
}

/// A sweep that can begin: everything that can be checked before has been.
pub(crate) struct Sweep<'a> {
    /// The experiment.
    pub(crate) experiment: &'a dyn AnyExperiment,
    /// What was asked for.
    pub(crate) sheet: Sheet,
    /// The keys that tell cells apart.
    pub(crate) swept: Vec<Axis>,
    /// All cells, in the order of the grid.
    pub(crate) cells: Vec<Cell>,
    /// The sweep directory.
    pub(crate) path: PathBuf,
}

impl<'a> Sweep<'a> {
    /// Plans every cell, without touching the disk. The hash and the time of `sheet` are filled in;
    /// devices may be those of another machine.
    ///
    /// # Errors
    /// Exit code 2: a key or a value that does not fit.
    pub(crate) fn plan(registry: &'a Registry, mut sheet: Sheet) -> Result<Self> {
        let experiment = registry.get(&sheet.experiment)?;
        let axes = axes(&sheet.arguments)?;
        let preset = sheet.preset()?;
        let mut hasher = Sha256::new();
        let mut cells = Vec::new();
        for (index, overrides) in product(&axes)?.into_iter().enumerate() {
            let parsed = overrides.iter().map(|text| Override::parse(text));
            let resolved = experiment.resolve(preset, &parsed.collect::<Result<Vec<_>>>()?)?;
            hasher.update(resolved.hash(""));
            let swept: Vec<(String, String)> = axes
                .iter()
                .zip(&overrides)
                .filter(|(axis, _)| axis.is_swept())
                .map(|(axis, text)| (axis.key.clone(), text[axis.key.len() + 1..].to_owned()))
                .collect();
            let directory = format!("cells/{index:03}{}", slug(&swept));
            let row =
                Row { index, overrides, directory, config_hash: resolved.hash(&sheet.devices[0]) };
            cells.push(Cell { row, swept, resolved });
        }
        hasher.update(format!("{:?}", sheet.seeds));
        sheet.hash = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        sheet.started = now();
        let swept = axes.into_iter().filter(Axis::is_swept).collect();
        Ok(Self { experiment, sheet, swept, cells, path: PathBuf::new() })
    }

    /// Whether a run could begin on each of `devices`.
    ///
    /// # Errors
    /// Exit code 2: a device that this build does not have, downloads that it cannot do.
    pub(crate) fn check(&self, devices: &[String]) -> Result<()> {
        for device in devices {
            let request = Request {
                preset: self.sheet.preset()?,
                device: device.clone(),
                online: self.sheet.online,
                out: Some(self.path.clone()),
                ..Request::default()
            };
            plan(self.experiment, &request)?;
        }
        Ok(())
    }

    /// Takes its place in a directory, with what is known there.
    pub(crate) fn take(&mut self, sheet: Sheet, path: PathBuf) {
        let (hash, started) = (self.sheet.hash.clone(), self.sheet.started.clone());
        let started = if sheet.started.is_empty() { started } else { sheet.started.clone() };
        for cell in &mut self.cells {
            cell.row.config_hash = cell.resolved.hash(&sheet.devices[0]);
        }
        self.sheet = Sheet { hash, started, ..sheet };
        self.path = path;
    }

    /// The sweep that lies in `dir`.
    ///
    /// # Errors
    /// Exit code 3 where there is none, 2 where this build resolves it to another config.
    pub(crate) fn open(registry: &'a Registry, dir: &Path) -> Result<Self> {
        let kept = Sheet::read(dir)?;
        let mut sweep = Self::plan(registry, kept.clone())?;
        sweep.same_as(&kept, dir)?;
        sweep.take(kept, dir.to_owned());
        Ok(sweep)
    }

    /// Fails where the sweep in `dir` is not this one.
    ///
    /// # Errors
    /// Exit code 2.
    pub(crate) fn same_as(&self, kept: &Sheet, dir: &Path) -> Result<()> {
        match kept.experiment == self.sheet.experiment && kept.hash == self.sheet.hash {
            true => Ok(()),
            false => Err(config(format!(
                "--resume: {} is a sweep of other configs, seeds or another experiment",
                dir.display()
            ))),
        }
    }

    /// Chooses a new directory below `runs/sweep`.
    pub(crate) fn new_directory(&self) -> PathBuf {
        new_directory(&self.root(), &self.sheet.hash)
    }

    /// Where sweeps of this experiment lie that were given no directory.
    pub(crate) fn root(&self) -> PathBuf {
        PathBuf::from("runs/sweep").join(&self.sheet.experiment)
    }

    /// The latest sweep of the same configs below the root.
    pub(crate) fn latest(&self) -> Option<PathBuf> {
        let entries = std::fs::read_dir(self.root()).ok()?.flatten();
        let same =
            |path: &PathBuf| Sheet::read(path).is_ok_and(|kept| kept.hash == self.sheet.hash);
        // Their names begin with the time.
        entries.map(|entry| entry.path()).filter(same).max()
    }

    /// Where a cell runs.
    pub(crate) fn dir(&self, cell: &Cell) -> PathBuf {
        self.path.join(&cell.row.directory)
    }

    /// Writes the directory's own files; a new sweep makes the directory first.
    ///
    /// # Errors
    /// As [`sheet::create`], and a disk that cannot be written.
    pub(crate) fn write(&self, resume: bool, force: bool) -> Result<()> {
        if !resume {
            sheet::create(&self.path, force)?;
        }
        // The sheet comes last: a directory that has one is whole.
        Row::write_all(self.cells.iter().map(|cell| &cell.row), &self.path)?;
        self.sheet.write(&self.path)
    }

    /// The command that makes the sweep again.
    pub(crate) fn command(&self) -> String {
        let Sheet { experiment, preset, arguments, devices, seeds, data, .. } = &self.sheet;
        let mut words = vec![experiment.clone()];
        words.extend(arguments.iter().cloned());
        words.extend(["--preset".to_owned(), preset.clone()]);
        words.extend(["--device".to_owned(), devices.join(",")]);
        let seeds: Vec<String> = seeds.iter().map(u64::to_string).collect();
        words.extend(["--seeds".to_owned(), seeds.join(",")]);
        if let Some(data) = data {
            words.extend(["--data".to_owned(), data.display().to_string()]);
        }
        let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        let online = if self.sheet.online { " --online" } else { "" };
        let slurm = match self.sheet.launcher {
            sheet::Launcher::Local => "",
            sheet::Launcher::Slurm => " --launcher slurm",
        };
        format!("cargo xtask experiment sweep {}{online}{slurm}", words.join(" "))
    }
}

/// `-lr-0.1-rank-8`: what a directory's name says of the values.
fn slug(swept: &[(String, String)]) -> String {
    let mut slug = String::new();
    for (key, value) in swept {
        let key = key.rsplit('.').next().unwrap_or(key);
        slug += &format!("-{key}-{value}");
    }
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-.".contains(c) { c } else { '_' };
    slug.chars().map(plain).take(60).collect::<String>().trim_end_matches(['_', '.']).to_owned()
}
