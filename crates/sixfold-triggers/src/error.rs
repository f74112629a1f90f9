//! The error type of the crate.

use std::path::{Path, PathBuf};

use sixfold_linalg::files::FileError;

/// What can go wrong with an audit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A model without a head that assigns classes.
    #[error("{}: no sequence classification head; the architecture is `{architecture}`", .path.display())]
    NoClassifier {
        /// The model directory.
        path: PathBuf,
        /// What `config.json` says it is.
        architecture: String,
    },
    /// Labels that the model does not have.
    #[error("label {label} of example {example} is no class of a model with {n_classes}")]
    Label {
        /// The label.
        label: usize,
        /// The example, from 0.
        example: usize,
        /// Classes of the model.
        n_classes: usize,
    },
    /// No token is left to search among.
    #[error("the filter leaves no token of {vocabulary}: {}", .removed.join(", "))]
    EmptyVocabulary {
        /// Tokens of the vocabulary.
        vocabulary: usize,
        /// How many each rule removed, one each.
        removed: Vec<String>,
    },
    /// A text that leaves no room for the trigger.
    #[error(
        "example {example} has {tokens} tokens and the trigger {trigger}; the model reads {limit}"
    )]
    TooLong {
        /// The example, from 0.
        example: usize,
        /// Its tokens.
        tokens: usize,
        /// Tokens of the trigger.
        trigger: usize,
        /// The longest sequence of the model.
        limit: usize,
    },
    /// A text without a token.
    #[error("example {example} has a text without tokens")]
    EmptyText {
        /// The example, from 0.
        example: usize,
    },
    /// Nothing to search on or to report.
    #[error("no {what}")]
    Empty {
        /// What there is none of.
        what: &'static str,
    },
    /// A score, a hidden state or a probability is NaN or infinite.
    #[error("{what} is not finite at entry {index}")]
    NotFinite {
        /// What is not.
        what: &'static str,
        /// The first such entry, counted row by row.
        index: usize,
    },
    /// Parts that do not fit each other.
    #[error("{what} is {found}, expected {expected}")]
    Mismatch {
        /// Which of them.
        what: &'static str,
        /// What fits.
        expected: String,
        /// What is there.
        found: String,
    },
    /// Settings that contradict each other.
    #[error("{}", .problems.join("; "))]
    Config {
        /// All problems, one each.
        problems: Vec<String>,
    },
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
    /// The search was asked to stop; its state is kept.
    #[error("stopped after {updates} updates")]
    Stopped {
        /// Updates done.
        updates: usize,
    },
    /// The memory of the device does not hold a batch, or one example where batches are halved until they fit.
    #[error("the memory of the device is out, fewer positions at once may fit: {reason}")]
    OutOfMemory {
        /// What its driver says.
        reason: String,
    },
    /// The device failed.
    #[error("the device failed: {reason}")]
    Device {
        /// What its driver says.
        reason: String,
    },
    /// Host linear algebra failed.
    #[error(transparent)]
    Linalg(#[from] sixfold_linalg::Error),
    /// The model failed.
    #[cfg(feature = "model")]
    #[error(transparent)]
    Model(#[from] sixfold_model::Error),
}

impl Error {
    /// Names the file of an [`std::io::Error`], for `map_err`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    /// A file that is not what it should be.
    pub(crate) fn malformed(path: &Path, what: impl Into<String>) -> Self {
        Self::Malformed { path: path.to_owned(), what: what.into() }
    }
}

impl From<FileError> for Error {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Io { path, source } => Self::Io { path, source },
            FileError::Malformed { path, what } => Self::Malformed { path, what },
        }
    }
}

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
