//! `cargo xtask <command>`: tasks of the repository. What cargo or the lab can do is forwarded.

mod bench;
mod commands;
mod exec;
mod machine;
mod outside;
mod peers;
mod places;
mod table;

use std::process::ExitCode;

const HELP: &str = "\
Tasks of the Sixfold repository

  cargo xtask experiment <args>   run the experiments; try `experiment list`
  cargo xtask test [args]         every test of the workspace, invariants included
  cargo xtask lint                formatting, clippy and docs, as CI runs them
  cargo xtask parity              our models against recorded outputs, as a table
  cargo xtask bench [--save NAME] [--against NAME] [cargo's args] [-- criterion's args]
                                  the criterion benches; --save keeps their estimates in
                                  benches/record/<bench>.csv, --against prints what changed since
                                    bench --against v0.1 --bench linalg -- --quick eigh
  cargo xtask peers [NAME…] [--data DIR] [-- drivers' args]
                                  Sixfold beside PyTorch, faiss, gensim and others, as one table of
                                  ratios
                                    peers geometry -- --repeats 3
  cargo xtask outside [CRATE…] [--without-burn]
                                  the first examples of each README, in crates outside the workspace
  cargo xtask help                this text

SIXFOLD_PROFILE=ci lets `experiment` use the build of `cargo xtask test` instead of a release
build. SIXFOLD_PEERS names the folder of Python's environments (target/peers-venv), or a ready one.
CARGO_TARGET_DIR is honoured.
";

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let command = arguments.next();
    let command = command.as_deref().and_then(std::ffi::OsStr::to_str);
    let rest: Vec<_> = arguments.collect();
    let result = match command {
        Some("experiment") => commands::experiment(rest),
        Some("test") => commands::test(rest),
        Some("lint") => commands::lint(),
        Some("bench") => bench::bench(rest),
        Some("peers") => peers::peers(rest),
        Some("outside") => outside::outside(rest),
        Some("parity") => commands::parity(rest),
        Some("help" | "--help" | "-h") => exec::print(HELP),
        Some(other) => {
            exec::say(&format!("error: unknown task `{other}`\n\n{HELP}"));
            return ExitCode::from(2);
        }
        None => {
            exec::say(HELP);
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            exec::say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
