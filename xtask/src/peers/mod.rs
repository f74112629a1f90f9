//! `cargo xtask peers`: Sixfold beside other libraries, by the drivers in `benches/peers`.

mod environment;
mod report;
mod script;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::exec::{cargo, print, run, say};
use crate::places::{root, target};
use environment::Environments;
use report::Report;
use script::Script;

/// Where everything lies.
struct Peers {
    /// The folder of the drivers and the requirement files.
    scripts: PathBuf,
    environments: Environments,
    /// The release folder of our binaries.
    ours: PathBuf,
    /// Where records and ratios go.
    out: PathBuf,
    data: Option<PathBuf>,
    /// What every driver gets besides.
    arguments: Vec<OsString>,
}

/// Runs the comparisons that are named, or all, and prints one table of ratios.
pub(crate) fn peers(arguments: Vec<OsString>) -> Result<u8> {
    let mut data = std::env::var_os("SIXFOLD_DATA").map(PathBuf::from);
    let (mut names, mut more) = (Vec::new(), Vec::new());
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--") => more.extend(arguments.by_ref()),
            Some("--data") => data = arguments.next().map(PathBuf::from),
            Some(name) if !name.starts_with('-') => names.push(name.to_owned()),
            _ => {
                say(&format!(
                    "error: unknown option {}; drivers' own come after `--`",
                    argument.display()
                ));
                return Ok(2);
            }
        }
    }
    let home = std::env::var_os("SIXFOLD_PEERS").map(PathBuf::from);
    let peers = Peers {
        scripts: root().join("benches/peers"),
        environments: Environments::new(home.unwrap_or_else(|| target().join("peers-venv"))),
        ours: target().join("release"),
        out: target().join("peers"),
        // Drivers run at the root.
        data: data.or_else(|| Some("data".into())).and_then(|data| fs::canonicalize(data).ok()),
        arguments: more,
    };
    peers.all(&names)
}

impl Peers {
    fn all(&self, names: &[String]) -> Result<u8> {
        let known = script::all(&self.scripts)?;
        let mut unknown =
            names.iter().filter(|name| !known.iter().any(|(known, _)| known == *name));
        if let Some(name) = unknown.next() {
            let known: Vec<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
            say(&format!(
                "error: no comparison is called `{name}`; there are: {}",
                known.join(", ")
            ));
            return Ok(2);
        }
        let mut scripts = Vec::new();
        for (name, path) in
            known.iter().filter(|(name, _)| names.is_empty() || names.contains(name))
        {
            let script = Script::open(name, path, self.environments.system())?;
            if script.data && self.data.is_none() {
                say(&format!("{name} is left out: it needs data (--data DIR or SIXFOLD_DATA)"));
            } else {
                scripts.push(script);
            }
        }
        if scripts.is_empty() {
            return Ok(3);
        }
        // All that can fail soon comes before the first hour of measuring.
        let mut pythons = Vec::new();
        for script in &scripts {
            pythons.push(self.environments.python(&self.scripts.join(&script.requirements))?);
            for build in &script.builds {
                let code = run(cargo().args(["build", "--release"]).args(build))?;
                ensure!(code == 0, "the build for {} ended with exit code {code}", script.name);
            }
        }
        let (mut reports, mut failed) = (Vec::new(), Vec::new());
        for (script, python) in scripts.iter().zip(&pythons) {
            say(&format!("peers: {}", script.name));
            match self.one(script, python) {
                Ok(report) => reports.push(report),
                Err(error) => {
                    say(&format!("error: {}: {error:#}", script.name));
                    failed.push(script.name.as_str());
                }
            }
        }
        if !reports.is_empty() {
            print(&report::table(&reports))?;
            say(&format!("records and ratios lie in {}", self.out.display()));
        }
        if failed.is_empty() {
            return Ok(0);
        }
        say(&format!("error: without a result: {}", failed.join(", ")));
        Ok(1)
    }

    fn one(&self, script: &Script, python: &Path) -> Result<Report> {
        fs::create_dir_all(&self.out).with_context(|| format!("{}", self.out.display()))?;
        let json = self.out.join(format!("{}.json", script.name));
        // Else the one of an earlier run would stand for this.
        if json.exists() {
            fs::remove_file(&json).with_context(|| format!("{}", json.display()))?;
        }
        let mut command = Command::new(python);
        command.arg("-B").arg(&script.path).arg("--ours").arg(self.ours.join(&script.ours));
        command.arg("--json").arg(&json);
        command.arg("--out").arg(self.out.join(format!("{}.md", script.name)));
        if let Some(data) = self.data.as_ref().filter(|_| script.data) {
            command.arg("--data").arg(data);
        }
        let code = run(command.args(&self.arguments).current_dir(root()))?;
        ensure!(code == 0, "{} ended with exit code {code}", script.path.display());
        Report::read(&script.name, &json)
    }
}
