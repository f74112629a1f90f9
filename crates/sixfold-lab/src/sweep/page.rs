//! The page of a sweep: what came out at which values.

use anyhow::{Context as _, Result};
use askama::Template;

use super::numbers::{Done, numbers, sentence, shared};
use super::plan::Sweep;
use super::state::State;
use crate::atomic::atomic_write;
use crate::report::{SCRIPT, page_style};
use crate::table::{Cell, Table};

struct Line<'a> {
    directory: &'a str,
    name: String,
    status: String,
    has_report: bool,
    words: String,
}

#[derive(Template)]
#[template(path = "sweep.html")]
struct Page<'a> {
    style: String,
    script: &'static str,
    sentence: &'a str,
    experiment: &'a str,
    preset: &'a str,
    question: &'a str,
    started: &'a str,
    command: &'a str,
    lines: &'a [Line<'a>],
    complete: usize,
    table: &'a Table,
}

/// Writes `index.html` and `index.md`; gives the table of cells for the terminal.
///
/// # Errors
/// A disk that cannot be written.
pub(crate) fn write_index(sweep: &Sweep<'_>) -> Result<Table> {
    let states: Vec<State> = sweep.cells.iter().map(|cell| sweep.state(cell)).collect();
    let complete: Vec<Done<'_>> = sweep
        .cells
        .iter()
        .zip(&states)
        .filter_map(|(cell, state)| Some(Done::new(cell, state.results()?)))
        .collect();
    let shared = shared(&complete);
    let sentence = sentence(&complete, &shared, sweep.cells.len());
    let table = numbers(&sweep.swept, &complete, &shared);
    let mut lines = Vec::new();
    let mut told = Table::new("cells", "Cells", ["cell", "status", "what came out"]);
    for (cell, state) in sweep.cells.iter().zip(&states) {
        let words = match state.results() {
            Some(results) => sweep.experiment.present(&cell.resolved.table, results)?.headline,
            None => state.reason().to_owned(),
        };
        let row = [cell.label().as_str(), state.word(), &words].map(Cell::from);
        told.push(row);
        lines.push(Line {
            directory: &cell.row.directory,
            name: cell.label(),
            status: state.word().to_owned(),
            has_report: sweep.dir(cell).join("report.html").is_file(),
            words,
        });
    }
    let command = sweep.command();
    let page = Page {
        style: page_style(),
        script: SCRIPT,
        sentence: &sentence,
        experiment: &sweep.sheet.experiment,
        preset: &sweep.sheet.preset,
        question: &sweep.cells[0].resolved.about.question,
        started: &sweep.sheet.started,
        command: &command,
        lines: &lines,
        complete: complete.len(),
        table: &table,
    };
    atomic_write(&sweep.path.join("index.md"), page.markdown())?;
    let html = page.render().context("cannot lay out index.html")?;
    atomic_write(&sweep.path.join("index.html"), html)?;
    Ok(told)
}

impl Page<'_> {
    fn markdown(&self) -> String {
        let Page { sentence, experiment, preset, complete, .. } = self;
        let mut text = format!(
            "# {sentence}\n\n`{experiment}`, preset {preset}; {complete} of {} cells complete\n\n\
             ```text\n{}\n```\n\n",
            self.lines.len(),
            self.command
        );
        text += "| cell | status | what came out |\n| --- | --- | --- |\n";
        for Line { directory, name, status, has_report, words } in self.lines {
            let [name, words] = [name, words].map(|text| text.replace('|', "\\|"));
            let name = match has_report {
                true => format!("[{name}]({directory}/report.md)"),
                false => name,
            };
            text += &format!("| {name} | {status} | {words} |\n");
        }
        if !self.table.rows.is_empty() {
            text += &format!("\n## {}\n\n{}", self.table.title, self.table.to_markdown());
        }
        text
    }
}
