//! `diff`: configs and numbers of two runs.

use anyhow::Result;

use super::kept::{KeptRun, read};
use crate::cli::DiffArgs;
use crate::diff::{Side, difference};
use crate::experiment::Registry;
use crate::terminal::print;

/// Prints what tells two runs apart.
pub(crate) fn diff(registry: &Registry, arguments: &DiffArgs) -> Result<()> {
    let first = read(registry, &arguments.first)?;
    let second = read(registry, &arguments.second)?;
    let found = difference(&side(&first), &side(&second), arguments.all);
    match arguments.json {
        true => print(&format!("{}\n", serde_json::to_string_pretty(&found)?)),
        false => print(&found.to_terminal()),
    }
}

fn side<'a>(run: &'a KeptRun<'_>) -> Side<'a> {
    let KeptRun { resolved, results, environment, .. } = run;
    Side { config: resolved.values(), results, environment }
}
