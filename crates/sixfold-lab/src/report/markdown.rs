//! `report.md`: what the HTML says, for reading in a review.

use std::fmt::Write;

use super::{Document, environment_rows};

pub(super) fn render(document: &Document<'_>) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write_all(&mut text, document);
    text
}

fn write_all(out: &mut String, document: &Document<'_>) -> std::fmt::Result {
    let Document { results, presentation: words, about, environment, .. } = document;
    writeln!(out, "# {}\n", words.headline)?;
    writeln!(
        out,
        "`{}`, {}; preset {}, {}, seeds {}; {}\n",
        results.experiment,
        document.title,
        results.preset,
        results.status,
        results.seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", "),
        environment.started,
    )?;
    writeln!(out, "```sh\n{}\n```\n", environment.command)?;
    writeln!(out, "**Asked.** {}\n", about.question)?;
    writeln!(out, "**Came out.** {}\n", words.answer.join(" "))?;
    writeln!(out, "**How sure.** {}\n", words.confidence.join(" "))?;
    if !about.answers.is_empty() {
        writeln!(out, "**In the literature.** {}\n", about.answers)?;
    }
    if !results.notes.is_empty() {
        writeln!(out, "## Notes\n")?;
        for note in &results.notes {
            writeln!(out, "- {note}")?;
        }
        writeln!(out)?;
    }
    for table in words.tables.iter().filter(|table| table.leads()) {
        writeln!(out, "## {}\n\n{}", table.title, table.to_markdown())?;
    }
    if !words.figures.is_empty() {
        let mut part = None;
        for figure in &words.figures {
            if part != Some(&figure.part) {
                let title = if figure.part.is_empty() { "Figures" } else { &figure.part };
                writeln!(out, "## {title}\n")?;
                part = Some(&figure.part);
            }
            writeln!(out, "![{}](figures/{}.svg)\n", figure.title, figure.name)?;
            writeln!(out, "*{}.* {}\n", figure.title, figure.caption)?;
        }
    }
    for table in words.tables.iter().filter(|table| !table.leads()) {
        writeln!(out, "## {}\n\n{}", table.title, table.to_markdown())?;
    }
    writeln!(out, "## Configuration\n\n```toml\n{}```\n", document.config)?;
    writeln!(out, "## Environment\n")?;
    for (name, value) in environment_rows(environment) {
        writeln!(out, "- {name}: {value}")?;
    }
    Ok(())
}
