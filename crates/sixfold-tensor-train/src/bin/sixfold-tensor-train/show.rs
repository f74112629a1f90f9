//! `sixfold-tensor-train show`.

use std::path::PathBuf;

use lexopt::Parser;
use sixfold_tensor_train::files::Saved;

use crate::options::{Outcome, Taken, file, next, unexpected};
use crate::stored::Stored;

const HELP: &str = "\
Say what a compressed file holds. The order of a vocabulary counts ceil(log2 V) bits a row; the
file has 4 bytes a row.

Usage: sixfold-tensor-train show FILE
";

pub(crate) fn run(parser: &mut Parser) -> Outcome {
    let mut path = None::<PathBuf>;
    while let Some(argument) = next(parser)? {
        match argument {
            Taken::Option(name) if name == "help" => return Ok(HELP.into()),
            Taken::Value(found) if path.is_none() => path = Some(found),
            other => return Err(unexpected(&other)),
        }
    }
    let Saved { cores, order } = Stored::load(&file(path)?)?;
    Ok(cores.describe(order.as_ref()))
}
