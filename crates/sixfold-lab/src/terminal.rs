//! The only place that writes to stdout, and the errors on stderr.

use std::io::{ErrorKind, Write};

use anyhow::{Context as _, Result};

/// Writes `text` to stdout. A reader that went away, as `head` does, is no error.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to stdout")
        }
        _ => Ok(()),
    }
}

/// Writes one line to stderr; nobody is left to tell where that fails.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
