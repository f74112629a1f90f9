//! `sixfold-sgns export`.

use std::path::PathBuf;

use lexopt::Parser;
use sixfold_sgns::Vocabulary;
use sixfold_sgns::counting::CountsFile;

use crate::options::{Failure, Outcome, Taken, distinct, needed, next, unexpected, value};

const HELP: &str = "\
Write counts as records of 16 bytes, little-endian, by rising word and context: word u32,
context u32, count f64. Line i (from 0) of the vocabulary is the word of id i. numpy reads it by
fromfile(FILE, [(\"word\", \"<u4\"), (\"context\", \"<u4\"), (\"count\", \"<f8\")]).

Usage: sixfold-sgns export --vocab VOCABULARY -o RECORDS COUNTS

Options:
  -o, --output FILE      Where to write
      --vocab FILE       The words that the counts are of
";

pub(crate) fn run(parser: &mut Parser) -> Outcome {
    let (mut output, mut vocabulary, mut counts) = (None::<PathBuf>, None::<PathBuf>, None);
    while let Some(argument) = next(parser)? {
        match argument {
            Taken::Option(name) if name == "help" => return Ok(HELP.into()),
            Taken::Option(name) if name == "output" => output = Some(value(parser, &name)?),
            Taken::Option(name) if name == "vocab" => vocabulary = Some(value(parser, &name)?),
            Taken::Value(path) if counts.is_none() => counts = Some(path),
            other => return Err(unexpected(&other)),
        }
    }
    let output = needed(output, "output")?;
    let inputs = [
        needed(vocabulary, "vocab")?,
        counts.ok_or_else(|| Failure::Usage("expected a file of counts".into()))?,
    ];
    distinct(&output, &inputs)?;
    let vocabulary = Vocabulary::load(&inputs[0])?;
    CountsFile::open(&inputs[1], &vocabulary)?.export(&output)?;
    Ok(String::new())
}
