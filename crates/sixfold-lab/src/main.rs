//! The binary behind `cargo xtask experiment`.

use std::process::ExitCode;

fn main() -> ExitCode {
    sixfold_lab::main(&sixfold_lab::experiments::registry(), std::env::args_os())
}
