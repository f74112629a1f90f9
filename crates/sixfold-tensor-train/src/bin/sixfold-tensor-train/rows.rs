//! `sixfold-tensor-train rows`.

use std::fmt::Write;
use std::path::PathBuf;

use lexopt::Parser;
use sixfold_tensor_train::files::Saved;

use crate::options::{Failure, Outcome, Taken, next, unexpected};
use crate::stored::Stored;

const HELP: &str = "\
Print rows of a compressed file: a line for each id, the id and then the numbers, separated by
tabs. Of the cores, only what these rows need is multiplied.

Usage: sixfold-tensor-train rows FILE IDS...
";

pub(crate) fn run(parser: &mut Parser) -> Outcome {
    let (mut path, mut ids) = (None::<PathBuf>, Vec::<i64>::new());
    while let Some(argument) = next(parser)? {
        match argument {
            Taken::Option(name) if name == "help" => return Ok(HELP.into()),
            Taken::Value(found) if path.is_none() => path = Some(found),
            Taken::Value(id) => {
                let text = id.to_string_lossy();
                let wrong = |_| Failure::Usage(format!("`{text}` is no id"));
                ids.push(text.parse().map_err(wrong)?);
            }
            other => return Err(unexpected(&other)),
        }
    }
    let (Some(path), false) = (path, ids.is_empty()) else {
        return Err(Failure::Usage("expected a file and ids".into()));
    };
    let Saved { cores, order } = Stored::load(&path)?;
    let known = cores.shape().check_ids(ids.iter().copied())?;
    let place = |id: &u32| match &order {
        None => i64::from(*id),
        Some(order) => order.position(*id as usize) as i64,
    };
    let rows = cores.rows(&known.iter().map(place).collect::<Vec<_>>())?;
    let mut text = String::new();
    for (id, row) in ids.iter().zip(rows.rows()) {
        // A string takes all that is written to it.
        let _ = write!(text, "{id}");
        for value in row {
            let _ = write!(text, "\t{value}");
        }
        text.push('\n');
    }
    Ok(text)
}
