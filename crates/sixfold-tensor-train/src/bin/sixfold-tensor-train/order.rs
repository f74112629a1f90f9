//! `--order`.

use std::path::{Path, PathBuf};

use lexopt::{Parser, ValueExt};
use sixfold_linalg::files::Matrix;
use sixfold_tensor_train::{Error, Order};

use crate::options::{Failure, tell};

/// How the vocabulary is ordered.
#[derive(Default)]
pub(crate) enum Ordering {
    #[default]
    Identity,
    Cluster,
    /// By a file of counts.
    Frequency(PathBuf),
}

impl Ordering {
    pub(crate) fn parse(parser: &mut Parser) -> Result<Self, Failure> {
        let text = parser.value()?.string()?;
        match text.as_str() {
            "identity" => Ok(Self::Identity),
            "cluster" => Ok(Self::Cluster),
            _ => match text.strip_prefix("frequency:") {
                Some(path) if !path.is_empty() => Ok(Self::Frequency(path.into())),
                _ => {
                    let expected = "identity, cluster, frequency:COUNTS";
                    Err(Failure::Usage(format!("--order is `{text}`, expected {expected}")))
                }
            },
        }
    }

    /// The order of a table that these row factors suit.
    pub(crate) fn of(&self, table: &Matrix<'_>, rows: &[usize]) -> Result<Order, Failure> {
        let vocab = table.dim().0;
        match self {
            Self::Identity => Ok(Order::identity(vocab)),
            Self::Cluster => {
                tell("ordering rows");
                Ok(Order::clustered(table, rows)?)
            }
            Self::Frequency(path) => Ok(Order::by_frequency(&counts(path, vocab)?)),
        }
    }
}

/// The last number of each line.
fn counts(path: &Path, vocab: usize) -> Result<Vec<u64>, Error> {
    let malformed = |what: String| Error::Malformed { path: path.to_owned(), what };
    let text = std::fs::read_to_string(path)
        .map_err(|source| Error::Io { path: path.to_owned(), source })?;
    let count = |(at, line): (usize, &str)| {
        let last = line.split_whitespace().next_back().and_then(|last| last.parse().ok());
        let what = || format!("line {}: `{line}`, expected a count at its end", at + 1);
        last.ok_or_else(|| malformed(what()))
    };
    let counts: Vec<u64> = text.lines().enumerate().map(count).collect::<Result<_, _>>()?;
    if counts.len() == vocab {
        return Ok(counts);
    }
    Err(malformed(format!("{} lines, expected {vocab}, one for each row", counts.len())))
}
