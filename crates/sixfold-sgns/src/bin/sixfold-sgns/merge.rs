//! `sixfold-sgns merge`.

use std::path::PathBuf;

use lexopt::Parser;
use sixfold_sgns::counting::merge_shards;

use crate::options::{Outcome, Taken, distinct, needed, next, tell, unexpected, value};

const HELP: &str = "\
Add the counts of all shards of a text. The result is byte for byte what `count` writes without
--shard. Shards that are damaged, missing, there twice, or not of one count are refused.

Usage: sixfold-sgns merge -o COUNTS PARTS...

Options:
  -o, --output FILE      Where to write
";

pub(crate) fn run(parser: &mut Parser) -> Outcome {
    let (mut output, mut parts) = (None::<PathBuf>, Vec::new());
    while let Some(argument) = next(parser)? {
        match argument {
            Taken::Option(name) if name == "help" => return Ok(HELP.into()),
            Taken::Option(name) if name == "output" => output = Some(value(parser, &name)?),
            Taken::Value(path) => parts.push(path),
            other => return Err(unexpected(&other)),
        }
    }
    let output = needed(output, "output")?;
    distinct(&output, &parts)?;
    merge_shards(&parts, &output)?;
    tell(&format!("merged {} files", parts.len()));
    Ok(String::new())
}
