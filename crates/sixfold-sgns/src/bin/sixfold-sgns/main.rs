//! `sixfold-sgns`: from texts to vectors on the command line. One file a command.

mod count;
mod export;
mod merge;
mod neighbours;
mod options;
mod train;
mod vocab;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use lexopt::{Arg, Parser, ValueExt};
use options::{Failure, Outcome};

const HELP: &str = "\
sixfold-sgns: word vectors by Riemannian optimisation

Usage: sixfold-sgns COMMAND [OPTIONS]

Commands:
  train       Train word vectors on texts, or on counts
  neighbours  Print the words nearest to some words
  vocab       Count the words of a text
  count       Count which words stand near which
  merge       Add the counts of all shards of a text
  export      Write counts as records for other programs

`sixfold-sgns COMMAND --help` says more. Exit codes: 0 done, 1 failed, 2 wrong usage.
";

fn main() -> ExitCode {
    let failure = match run(std::env::args_os().collect()) {
        Ok(text) => {
            let written = std::io::stdout().write_all(text.as_bytes());
            return if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
        Err(failure) => failure,
    };
    let (code, line) = match failure {
        Failure::Usage(what) => (2, format!("{what} (see --help)")),
        Failure::Failed(error) => {
            let mut line = error.to_string();
            let mut cause = error.source();
            while let Some(error) = cause {
                line += &format!(": {error}");
                cause = error.source();
            }
            (1, line.replace('\n', " "))
        }
    };
    // Nobody is left to tell if this fails.
    let _ = writeln!(std::io::stderr(), "sixfold-sgns: {line}");
    ExitCode::from(code)
}

/// Runs a command, and gives what goes to the standard output.
fn run(arguments: Vec<OsString>) -> Outcome {
    let mut parser = Parser::from_iter(arguments);
    match parser.next()? {
        None => Err(Failure::Usage("expected a command".into())),
        Some(Arg::Long("help") | Arg::Short('h')) => Ok(HELP.into()),
        Some(Arg::Long("version") | Arg::Short('V')) => {
            Ok(concat!("sixfold-sgns ", env!("CARGO_PKG_VERSION"), "\n").into())
        }
        Some(Arg::Value(command)) => match command.string()?.as_str() {
            "train" => train::run(&mut parser),
            "neighbours" => neighbours::run(&mut parser),
            "vocab" => vocab::run(&mut parser),
            "count" => count::run(&mut parser),
            "merge" => merge::run(&mut parser),
            "export" => export::run(&mut parser),
            other => Err(Failure::Usage(format!("no command `{other}`"))),
        },
        Some(other) => Err(other.unexpected().into()),
    }
}
