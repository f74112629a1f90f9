//! `sixfold-sgns neighbours`.

use std::fmt::Write;
use std::path::PathBuf;

use lexopt::Parser;
use sixfold_sgns::WordVectors;

use crate::options::{Failure, Outcome, Taken, next, unexpected, value};

const HELP: &str = "\
Print the words nearest to some words, by cosine.

Usage: sixfold-sgns neighbours [OPTIONS] VECTORS WORDS...

Options:
  -n, --number N   How many [10]

Lines are: word, neighbour, cosine, separated by tabs.
";

pub(crate) fn run(parser: &mut Parser) -> Outcome {
    let (mut vectors, mut words, mut number) = (None::<PathBuf>, Vec::new(), 10);
    while let Some(argument) = next(parser)? {
        match &argument {
            Taken::Value(path) if vectors.is_none() => vectors = Some(path.clone()),
            Taken::Value(word) => words.push(word.to_string_lossy().into_owned()),
            Taken::Option(name) => match name.as_str() {
                "help" => return Ok(HELP.into()),
                "number" => number = value(parser, name)?,
                _ => return Err(unexpected(&argument)),
            },
        }
    }
    let (Some(vectors), false) = (vectors, words.is_empty()) else {
        return Err(Failure::Usage("expected a file of vectors and words".into()));
    };
    let vectors = WordVectors::open(vectors)?;
    let queries: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut text = String::new();
    for (word, found) in words.iter().zip(vectors.index().neighbours_of(&queries, number)?) {
        for near in found {
            // A string takes all that is written to it.
            let _ = writeln!(text, "{word}\t{}\t{:.4}", near.word, near.score);
        }
    }
    Ok(text)
}
