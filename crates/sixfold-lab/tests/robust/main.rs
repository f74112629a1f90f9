//! What a run survives: signals at any moment, and a disk that is full.

mod disk;
mod files;
mod killed;

use std::path::Path;
use std::process::{Command, Stdio};

/// The built program on a run of some seconds that trains, measures and depends on no clock.
fn run(out: &Path, more: &[&str]) -> Command {
    let repo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sixfold-lab"));
    command.args(["run", "geometry/training", "--no-progress", "--seeds", "0,1", "--out"]);
    command.arg(out).args(["text.max_tokens=2048", "sample=256", "estimators=[\"two-nn\"]"]);
    command.args(more).env("SIXFOLD_REPO", repo).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}
