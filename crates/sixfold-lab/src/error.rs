//! What ends a run early, and the exit code that says so.

use std::path::Path;

/// Failures that have an exit code of their own; everything else is 1.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabError {
    /// The command line or an experiment file is wrong: exit code 2.
    #[error("{0}")]
    Config(String),
    /// An input file is not there or holds nothing: exit code 3.
    #[error("{0}")]
    Missing(String),
    /// `compare --strict` found numbers apart, or none to compare: exit code 4.
    #[error("{0}")]
    Apart(String),
    /// A signal asked the run to stop: exit code 128 + signal.
    #[error("interrupted by {}; partial results are kept", signal_name(*.signal))]
    Interrupted {
        /// The signal's number.
        signal: i32,
    },
}

/// Shorthand for a [`LabError::Config`].
pub(crate) fn config(message: impl Into<String>) -> anyhow::Error {
    LabError::Config(message.into()).into()
}

/// Shorthand for a [`LabError::Missing`].
pub(crate) fn missing(message: impl Into<String>) -> anyhow::Error {
    LabError::Missing(message.into()).into()
}

/// The text of a failed file operation: what was done to which file.
pub(crate) fn doing(what: &str, path: &Path) -> String {
    format!("cannot {what} {}", path.display())
}

/// The exit code that the contract gives to `error`.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    match error.chain().find_map(|cause| cause.downcast_ref::<LabError>()) {
        Some(LabError::Config(_)) => 2,
        Some(LabError::Missing(_)) => 3,
        Some(LabError::Apart(_)) => 4,
        Some(LabError::Interrupted { signal }) => u8::try_from(128 + signal).unwrap_or(1),
        None => 1,
    }
}

/// The error and its causes as one line.
pub fn one_line(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        // Some libraries repeat their source in their own message.
        if text.ends_with(&cause) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause);
    }
    text.split('\n').map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// `SIGINT` and its kin, or the number.
pub(crate) fn signal_name(signal: i32) -> String {
    match signal {
        2 => "SIGINT".to_owned(),
        15 => "SIGTERM".to_owned(),
        10 => "SIGUSR1".to_owned(),
        other => format!("signal {other}"),
    }
}
