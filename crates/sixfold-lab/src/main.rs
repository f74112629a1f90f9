//! The binary behind `cargo xtask experiment`.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: sixfold_lab::heap::Counting = sixfold_lab::heap::Counting;

fn main() -> ExitCode {
    sixfold_lab::main(&sixfold_lab::experiments::registry(), std::env::args_os())
}
