//! A Slurm of one node, for tests of what runs on one.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::repository;

/// A cluster of this machine alone, which ends when it is dropped.
#[derive(Debug)]
pub struct Slurm {
    state: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl Slurm {
    /// Starts one from the packages in `SIXFOLD_SLURM`, else `/var/tmp/sixfold-slurm`, where
    /// `cluster fetch` puts them. `None` where they are absent, after a line that says so.
    ///
    /// # Panics
    /// Where it does not come up.
    #[expect(clippy::print_stderr, reason = "a skipped test must say so")]
    pub fn start() -> Option<Self> {
        let root = std::env::var_os("SIXFOLD_SLURM").map(PathBuf::from);
        let root = root.unwrap_or_else(|| PathBuf::from("/var/tmp/sixfold-slurm"));
        if !root.join("usr/sbin").is_dir() {
            eprintln!("skipped: no Slurm in {} (set SIXFOLD_SLURM)", root.display());
            return None;
        }
        let state = tempfile::tempdir().expect("a temporary directory");
        let started = script().arg("start").arg(root).arg(state.path()).output();
        let started = started.expect("a script that can be run");
        assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
        let text = String::from_utf8_lossy(&started.stdout);
        let variables = text.lines().filter_map(|line| line.split_once('='));
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Some(Self { variables: variables.collect(), state })
    }

    /// What a client of the cluster has to have in its environment.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// What one of Slurm's programs prints.
    ///
    /// # Panics
    /// Where it fails.
    pub fn ask(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.run(program, arguments);
        assert!(output.status.success(), "{program}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs one of Slurm's programs, however it ends.
    ///
    /// # Panics
    /// Where there is no `env`, which looks for the program on the cluster's PATH.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new("env");
        command.arg(program).args(arguments).envs(self.variables()).output().expect("env")
    }

    /// Whether no job is to come or under way.
    pub fn is_idle(&self) -> bool {
        self.ask("squeue", &["--noheader"]).is_empty()
    }
}

impl Drop for Slurm {
    fn drop(&mut self) {
        let _ = script().arg("stop").arg(self.state.path()).status();
    }
}

fn script() -> Command {
    Command::new(repository().join(Path::new("crates/sixfold-lab/tests/sweep/slurm/cluster")))
}
