//! The error type of the crate.

use std::path::PathBuf;

/// What can go wrong when a device is chosen, a checkpoint is read or text is encoded.
///
/// Shapes that a caller gets wrong panic instead, and say so where they do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The device name is not one that Sixfold knows.
    #[error("unknown device `{name}`; compiled in: {}; known: flex, ndarray, cuda, cuda:N, wgpu", .available.join(", "))]
    UnknownDevice {
        /// The name as given.
        name: String,
        /// The devices this build offers.
        available: Vec<&'static str>,
    },
    /// The device has no such type.
    #[error("{device} has no {dtype:?}: keep the weights in another type")]
    WeightType {
        /// The device.
        device: String,
        /// The type that was asked for.
        dtype: burn::tensor::DType,
    },
    /// The device is known, but its backend was not compiled in.
    #[error("device `{name}` is not compiled in: build with `--features {feature}`; compiled in: {}", .available.join(", "))]
    DeviceNotCompiled {
        /// The name as given.
        name: String,
        /// The cargo feature that brings it.
        feature: &'static str,
        /// The devices this build offers.
        available: Vec<&'static str>,
    },
    /// A token id that the embedding table has no row for.
    #[error(
        "token id {id} at row {row}, position {position} is outside the vocabulary of {vocab_size}"
    )]
    TokenOutOfRange {
        /// The id found.
        id: u32,
        /// Sequence of the batch.
        row: usize,
        /// Position in the sequence.
        position: usize,
        /// Rows of the embedding table.
        vocab_size: usize,
    },
    /// A token type that the table has no row for.
    #[error("token type {id} at row {row}, position {position}: the model has {token_types}")]
    TokenTypeOutOfRange {
        /// The type found.
        id: u32,
        /// Sequence of the batch.
        row: usize,
        /// Position in the sequence.
        position: usize,
        /// Types that the model knows.
        token_types: usize,
    },
    /// A sequence longer than the learned position table.
    #[error("a sequence of {length} tokens needs more positions than the model's {max_positions}")]
    TooLong {
        /// Tokens in the sequence.
        length: usize,
        /// Positions the model has.
        max_positions: usize,
    },
    /// Batch parts that do not belong together.
    #[error("{what}: expected {expected}, found {found}")]
    Batch {
        /// Which part.
        what: &'static str,
        /// What it should have been.
        expected: String,
        /// What it was.
        found: String,
    },
    /// A loss over no token at all.
    #[error("no position of the batch has a target, so there is no loss")]
    NoTargets,
    /// A file could not be read or written.
    #[error("{}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file that is not what it should be.
    #[error("{}: {what}", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and where.
        what: String,
    },
    /// A value of `config.json` that Sixfold does not support.
    #[error("{}: key `{key}` = {found}: {expected}", .path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// Its value.
        found: String,
        /// What would be accepted.
        expected: String,
    },
    /// A checkpoint whose tensors do not fit the model.
    #[error("{}: {report}", .path.display())]
    Tensors {
        /// The checkpoint's directory or file.
        path: PathBuf,
        /// Missing, unexpected and misshapen tensors.
        report: Box<TensorReport>,
    },
    /// The tokenizer refused.
    #[error("{}", .path.display())]
    Tokenizer {
        /// `tokenizer.json`.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The hub could not deliver a file.
    #[error("{repo} at {revision}, file {file}")]
    Hub {
        /// `owner/name`.
        repo: String,
        /// Branch, tag or commit.
        revision: String,
        /// The file asked for.
        file: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A pattern over parameter paths that cannot be read.
    #[error("pattern `{pattern}`: {problem}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A pattern that no parameter's path matches.
    #[error("pattern `{pattern}` matches no parameter; near it: {}", .near.join(", "))]
    NoSuchParameter {
        /// The pattern.
        pattern: String,
        /// The paths nearest to it.
        near: Vec<String>,
    },
    /// A gradient with an infinity or a NaN; the step was not taken.
    #[error("the gradient of `{path}` is not finite; no step was taken")]
    NonFiniteGradient {
        /// The parameter.
        path: String,
    },
    /// Hyper-parameters that make no sense.
    #[error("{}", .problems.join("; "))]
    Hyperparameters {
        /// All of them, one line each.
        problems: Vec<String>,
    },
    /// A training that was saved under other settings than it is to go on with.
    #[error("{}: key `{key}`: saved with {saved}, resumed with {current}", .path.display())]
    Resume {
        /// The file.
        path: PathBuf,
        /// The setting, with dots into what it is part of.
        key: String,
        /// Its value in the file.
        saved: String,
        /// Its value now.
        current: String,
    },
    /// A host computation on statistics failed.
    #[error(transparent)]
    Linalg(#[from] sixfold_linalg::Error),
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// How the tensors of a file differ from those of the model.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct TensorReport {
    /// Tensors that the model needs and the file lacks.
    pub missing: Vec<String>,
    /// Tensors of the file that no parameter takes.
    pub unexpected: Vec<String>,
    /// Tensors of another shape: name, expected, found.
    pub misshapen: Vec<(String, Vec<usize>, Vec<usize>)>,
}

impl TensorReport {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.misshapen.is_empty()
    }
}

impl std::fmt::Display for TensorReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shapes: Vec<String> = self
            .misshapen
            .iter()
            .map(|(name, expected, found)| {
                format!("{name} (expected {expected:?}, found {found:?})")
            })
            .collect();
        let mut separator = "";
        for (what, names) in [
            ("missing", &self.missing),
            ("unexpected", &self.unexpected),
            ("of another shape", &shapes),
        ] {
            if names.is_empty() {
                continue;
            }
            let shown = names.iter().take(10).cloned().collect::<Vec<_>>().join(", ");
            let rest = if names.len() > 10 { ", …" } else { "" };
            let plural = if names.len() == 1 { "" } else { "s" };
            write!(f, "{separator}{} tensor{plural} {what}: {shown}{rest}", names.len())?;
            separator = "; ";
        }
        Ok(())
    }
}
