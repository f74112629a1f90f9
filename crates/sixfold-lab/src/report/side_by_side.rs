//! Several runs on one page.

use anyhow::{Context as _, Result};
use askama::Template;

use crate::present::Presentation;
use crate::record::Results;
use crate::table::{Cell, Table};

use super::{SCRIPT, page_style};

struct Column<'a> {
    name: String,
    results: &'a Results,
    words: &'a Presentation,
    figures: Vec<String>,
}

#[derive(Template)]
#[template(path = "side_by_side.html")]
struct Page<'a> {
    style: String,
    script: &'static str,
    runs: Vec<Column<'a>>,
    table: Table,
}

/// One page for the runs, each with its name.
///
/// # Errors
/// None but those of the template engine.
pub fn side_by_side(runs: &[(String, Results, Presentation)]) -> Result<String> {
    let columns = runs.iter().map(|(name, results, words)| Column {
        name: name.clone(),
        results,
        words,
        figures: words.figures.iter().map(crate::figure::Figure::inline_svg).collect(),
    });
    let (style, script) = (page_style(), SCRIPT);
    let page = Page { style, script, runs: columns.collect(), table: joined(runs) };
    page.render().context("cannot lay out the side-by-side report")
}

/// The numbers of all runs, one row per name and labels, one column per run.
fn joined(runs: &[(String, Results, Presentation)]) -> Table {
    let heads = ["metric", "where"].into_iter().map(str::to_owned);
    let heads = heads.chain(runs.iter().map(|(name, _, _)| name.clone()));
    let mut table = Table::new("side_by_side", "The numbers side by side", heads);
    let mut keys: Vec<(String, String)> = Vec::new();
    for (_, results, _) in runs {
        for metric in results.summary() {
            let key = (metric.name.clone(), metric.place.to_string());
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
    for (name, place) in keys {
        let values = runs.iter().map(|(_, results, _)| {
            let found = results.named(&name).find(|metric| metric.place.to_string() == place);
            Cell::from(found.map(|metric| metric.value))
        });
        let values: Vec<Cell> = values.collect();
        table.push([Cell::from(name.as_str()), Cell::from(place)].into_iter().chain(values));
    }
    table
}
