//! `sixfold-tensor-train`: compressed tables on the command line. One file a command.

mod compress;
mod export;
mod import;
mod options;
mod order;
mod plan;
mod rows;
mod show;
mod stored;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use lexopt::{Arg, Parser, ValueExt};
use options::{Failure, Outcome};

const HELP: &str = "\
sixfold-tensor-train: embedding tables in tensor-train form

Usage: sixfold-tensor-train COMMAND [OPTIONS]

Commands:
  compress  Compress a table of a checkpoint
  show      Say what a compressed file holds
  rows      Print rows of a compressed file
  export    Write the whole table, for other programs
  import    Read the cores that other programs saved
  plan      Say which factors a table would have, and its size

`sixfold-tensor-train COMMAND --help` says more. Exit codes: 0 done, 1 failed, 2 wrong usage.
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
    let _ = writeln!(std::io::stderr(), "sixfold-tensor-train: {line}");
    ExitCode::from(code)
}

/// Runs a command, and gives what goes to the standard output.
fn run(arguments: Vec<OsString>) -> Outcome {
    let mut parser = Parser::from_iter(arguments);
    match parser.next()? {
        None => Err(Failure::Usage("expected a command".into())),
        Some(Arg::Long("help") | Arg::Short('h')) => Ok(HELP.into()),
        Some(Arg::Long("version") | Arg::Short('V')) => {
            Ok(concat!("sixfold-tensor-train ", env!("CARGO_PKG_VERSION"), "\n").into())
        }
        Some(Arg::Value(command)) => match command.string()?.as_str() {
            "compress" => compress::run(&mut parser),
            "show" => show::run(&mut parser),
            "rows" => rows::run(&mut parser),
            "export" => export::run(&mut parser),
            "import" => import::run(&mut parser),
            "plan" => plan::run(&mut parser),
            other => Err(Failure::Usage(format!("no command `{other}`"))),
        },
        Some(other) => Err(other.unexpected().into()),
    }
}
