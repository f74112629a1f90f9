//! Virtual environments of Python: one a requirement file, made again when it changes.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::exec::{run, say};
use crate::places::{atomic_write, read};

/// A folder of environments, or one that somebody else made.
pub(super) struct Environments {
    home: PathBuf,
    system: OsString,
}

impl Environments {
    /// In `home`; where that is an environment itself, it serves everything as it is.
    pub(super) fn new(home: PathBuf) -> Self {
        let system = std::env::var_os("PYTHON").filter(|python| !python.is_empty());
        Self { home, system: system.unwrap_or_else(|| "python3".into()) }
    }

    /// The Python that makes environments.
    pub(super) fn system(&self) -> &OsStr {
        &self.system
    }

    /// The Python that has the packages of `requirements`.
    pub(super) fn python(&self, requirements: &Path) -> Result<PathBuf> {
        let ready = python_in(&self.home);
        if ready.exists() {
            return Ok(ready);
        }
        let wanted = read(requirements)?;
        let dir = self.home.join(requirements.file_stem().unwrap_or_default());
        let (python, stamp) = (python_in(&dir), dir.join("made-of.txt"));
        if python.exists() && fs::read_to_string(&stamp).is_ok_and(|made_of| made_of == wanted) {
            return Ok(python);
        }
        if dir.exists() {
            ensure!(
                dir.join("pyvenv.cfg").exists(),
                "{} is no virtual environment: SIXFOLD_PEERS names another folder",
                dir.display()
            );
            fs::remove_dir_all(&dir).with_context(|| format!("cannot remove {}", dir.display()))?;
        }
        say(&format!("peers: making {} of {}", dir.display(), requirements.display()));
        let packages = wanted.lines().any(|line| !line.trim().is_empty() && !line.starts_with('#'));
        let mut make = Command::new(&self.system);
        make.args(["-m", "venv"]).args((!packages).then_some("--without-pip")).arg(&dir);
        ensure!(
            run(&mut make)? == 0,
            "{} makes no virtual environment (Debian: the package python3-venv); PYTHON names another",
            self.system.display()
        );
        if packages {
            let mut install = Command::new(&python);
            install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
            let code = run(install.arg("--requirement").arg(requirements))?;
            ensure!(code == 0, "pip could not install {}", requirements.display());
        }
        // Last, so that half an environment is made again.
        atomic_write(&stamp, wanted.as_bytes())?;
        Ok(python)
    }
}

fn python_in(dir: &Path) -> PathBuf {
    dir.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" })
}
