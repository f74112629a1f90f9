//! Running programs: exit codes and signals come through as they are.

use std::io::Write;
use std::process::Command;

use anyhow::{Context as _, Result};

/// Writes to stdout; a reader that went away is no error.
pub(crate) fn print(text: &str) -> Result<u8> {
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(0)
}

/// Writes a line to stderr.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", text.trim_end());
}

/// The cargo that runs this program.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // `cargo run` of this program set these for its own package; the next cargo must not think
    // that they were given by the user.
    for name in ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_PKG_NAME"] {
        command.env_remove(name);
    }
    command
}

/// Runs `command` and waits; returns its exit code, or 128 + the signal that ended it.
pub(crate) fn run(command: &mut Command) -> Result<u8> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("cannot run {name}"))?;
    Ok(code(status))
}

/// Runs `command` in the place of this process, so that signals reach it directly and nothing
/// stands between its exit code and the caller.
#[cfg(unix)]
pub(crate) fn become_(command: &mut Command) -> Result<u8> {
    use std::os::unix::process::CommandExt;
    let name = command.get_program().to_string_lossy().into_owned();
    Err(command.exec()).with_context(|| format!("cannot run {name}"))
}

#[cfg(not(unix))]
pub(crate) fn become_(command: &mut Command) -> Result<u8> {
    run(command)
}

fn code(status: std::process::ExitStatus) -> u8 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return u8::try_from(128 + signal).unwrap_or(1);
    }
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
