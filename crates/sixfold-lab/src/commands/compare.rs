//! `compare`: ours against the published numbers.

use std::path::PathBuf;

use anyhow::Result;

use crate::cli::CompareArgs;
use crate::data::Locator;
use crate::error::{LabError, config};
use crate::experiment::Registry;
use crate::published::{Published, Verdict, published};
use crate::record::Results;
use crate::rundir::RunDir;
use crate::table::{Cell, Table};
use crate::terminal::print;

/// Prints every published number of an experiment with ours beside it.
pub(crate) fn compare(registry: &Registry, arguments: &CompareArgs) -> Result<()> {
    let experiment = registry.get(&arguments.name)?;
    let numbers = published(experiment.name())?;
    if numbers.is_empty() {
        let name = experiment.name();
        print(&format!("No published number of {name} could be checked against its paper.\n"))?;
        return strict(arguments.strict, 0, 0);
    }
    let runs = runs(experiment.name(), arguments)?;
    let mut text = String::new();
    let (mut judged, mut apart) = (0, 0);
    let mut begin = 0;
    while begin < numbers.len() {
        let name = &numbers[begin].table;
        let n = numbers[begin..].iter().take_while(|one| one.table == *name).count();
        let of_table = &numbers[begin..begin + n];
        begin += n;
        let (table, counts) = table(of_table, &runs);
        judged += counts[1];
        apart += counts[2];
        let Published { paper, table: name, about, how, .. } = &of_table[0];
        text += &format!("{paper}, {name}\n{about}\n{}\n", table.to_terminal());
        if counts[0] == 0 {
            text += &format!("None of ours is of the same model and task. To get one: {how}.\n");
        }
        text.push('\n');
    }
    print(&text)?;
    strict(arguments.strict, judged, apart)
}

/// The runs that were named, else the kept one.
fn runs(name: &str, arguments: &CompareArgs) -> Result<Vec<Results>> {
    let kept = Locator::new(None).repo().join("crates/sixfold-lab/results").join(name);
    let dirs: Vec<PathBuf> = match (arguments.runs.is_empty(), kept.join("results.json").is_file())
    {
        (false, _) => arguments.runs.clone(),
        (true, true) => vec![kept],
        (true, false) => Vec::new(),
    };
    let read = |dir: &PathBuf| -> Result<Results> {
        let results: Results = RunDir::open(dir)?.read_json("results.json")?;
        if results.experiment != name {
            let (dir, found) = (dir.display(), &results.experiment);
            return Err(config(format!("--run: {dir} is a run of {found}, not of {name}")));
        }
        Ok(results)
    };
    dirs.iter().map(read).collect()
}

/// The table; how many numbers have one of ours beside them, how many of those could be judged, and how many of these
/// differ.
fn table(numbers: &[Published], runs: &[Results]) -> (Table, [usize; 3]) {
    let heads = ["row", "column", "published", "±", "ours", "n", "difference", "verdict", "why"];
    let mut table = Table::new("compare", "", heads);
    let mut counts = [0; 3];
    for number in numbers {
        let (ours, verdict) = number.judge(runs);
        counts[0] += usize::from(ours.is_some());
        counts[1] += usize::from(verdict.is_judged());
        counts[2] += usize::from(matches!(verdict, Verdict::Differs(_)));
        table.push([
            Cell::from(number.row.as_str()),
            Cell::from(number.column.as_str()),
            Cell::from(number.value),
            Cell::from(number.spread),
            Cell::from(ours.map(|ours| ours.value)),
            Cell::from(ours.map(|ours| ours.n)),
            Cell::from(ours.map(|ours| ours.value - number.value)),
            Cell::from(verdict.name()),
            Cell::from(verdict.reason()),
        ]);
    }
    (table, counts)
}

/// With `--strict` something must have been judged, and nothing may be apart.
fn strict(asked: bool, judged: usize, apart: usize) -> Result<()> {
    match (asked, judged, apart) {
        (false, ..) => Ok(()),
        (true, 0, _) => {
            Err(LabError::Apart("no number of ours that could be judged".to_owned()).into())
        }
        (true, _, 0) => Ok(()),
        (true, ..) => {
            let text = format!("{apart} of {judged} numbers differ from the published ones");
            Err(LabError::Apart(text).into())
        }
    }
}
