//! `report`: pages from kept results.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::kept::{KeptRun, read};
use crate::atomic::atomic_write;
use crate::cli::ReportArgs;
use crate::experiment::Registry;
use crate::present::Presentation;
use crate::record::Results;
use crate::report::side_by_side;
use crate::runner::write_report;
use crate::sweep::{Sweep, is_sweep, write_index};
use crate::terminal::print;

/// Writes the report of each run again, and of several one page with all of them; of a sweep its
/// index.
pub(crate) fn report(registry: &Registry, arguments: &ReportArgs) -> Result<()> {
    let mut runs = Vec::new();
    for path in &arguments.runs {
        if is_sweep(path) {
            write_index(&Sweep::open(registry, path)?)?;
            print(&format!("{}\n", path.join("index.html").display()))?;
            continue;
        }
        let (results, presentation) = again(registry, path)?;
        print(&format!("{}\n", path.join("report.html").display()))?;
        runs.push((path.display().to_string(), results, presentation));
    }
    if runs.len() > 1 || arguments.out.is_some() {
        let out = arguments.out.clone().unwrap_or_else(|| PathBuf::from("side-by-side.html"));
        atomic_write(&out, side_by_side(&runs)?)?;
        print(&format!("{}\n", out.display()))?;
    }
    Ok(())
}

fn again(registry: &Registry, path: &Path) -> Result<(Results, Presentation)> {
    let KeptRun { experiment, dir, resolved, results, environment } = read(registry, path)?;
    let presentation = write_report(experiment, &resolved, &dir, &results, &environment)?;
    Ok((results, presentation))
}
