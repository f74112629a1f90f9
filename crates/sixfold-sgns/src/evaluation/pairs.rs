//! Pairs of words with a similarity that people gave them.

use std::path::Path;

use super::lines::lines;
use crate::corpus::text_file;
use crate::{Error, Result};

/// Two words and the score of their similarity.
#[derive(Clone, Debug, PartialEq)]
pub struct WordPair {
    /// The first word.
    pub a: Box<str>,
    /// The second word.
    pub b: Box<str>,
    /// How similar they are, on the scale of the list.
    pub score: f64,
}

/// A list of pairs, such as WordSim-353, SimLex-999 or MEN.
///
/// ```
/// use sixfold_sgns::evaluation::WordPairs;
/// let pairs = WordPairs::parse("word1\tword2\tscore\ncat\tdog\t7.5\ncat\train\t0.8\n")?;
/// assert_eq!(pairs.pairs()[1].score, 0.8);
/// # Ok::<(), sixfold_sgns::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct WordPairs {
    pairs: Vec<WordPair>,
}

impl WordPairs {
    /// Reads a file: two words and a number a line, with tabs, commas or spaces between them. Empty
    /// lines and those from `#` are left out, and so is a first line of which the third field is no
    /// number. More fields may follow.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Malformed`] with the line; [`Error::Empty`] without pairs.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        Self::of(path, &text_file(path)?)
    }

    /// Pairs from the text of such a file.
    ///
    /// # Errors
    /// [`Error::Malformed`], of a file `word pairs`, with the line; [`Error::Empty`] without pairs.
    pub fn parse(text: &str) -> Result<Self> {
        Self::of(Path::new("word pairs"), text)
    }

    fn of(path: &Path, text: &str) -> Result<Self> {
        let mut pairs = Vec::new();
        for (at, (number, line)) in lines(text).enumerate() {
            match pair(line) {
                Ok(pair) => pairs.push(pair),
                // What the columns are called.
                Err(Problem::NoNumber(_)) if at == 0 => {}
                Err(problem) => {
                    let what = match problem {
                        Problem::NoNumber(found) => {
                            format!("expected a finite score, found `{found}`")
                        }
                        Problem::Fields(found) => {
                            format!("expected two words and a score, found {found} fields")
                        }
                    };
                    return Err(Error::malformed(path, format!("line {number}: {what}")));
                }
            }
        }
        if pairs.is_empty() {
            let reason = format!("{} has none", path.display());
            return Err(Error::Empty { what: "the list of word pairs", reason });
        }
        Ok(Self { pairs })
    }

    /// The pairs, in the order of the file.
    pub fn pairs(&self) -> &[WordPair] {
        &self.pairs
    }
}

enum Problem {
    NoNumber(String),
    Fields(usize),
}

fn pair(line: &str) -> Result<WordPair, Problem> {
    // Words of a list with tabs may have commas and spaces in them.
    let separator = ['\t', ','].into_iter().find(|&separator| line.matches(separator).count() >= 2);
    let fields: Vec<&str> = match separator {
        Some(separator) => line.split(separator).map(str::trim).collect(),
        None => line.split_whitespace().collect(),
    };
    let [a, b, score, ..] = fields[..] else { return Err(Problem::Fields(fields.len())) };
    match score.parse::<f64>() {
        Ok(score) if score.is_finite() && !a.is_empty() && !b.is_empty() => {
            Ok(WordPair { a: a.into(), b: b.into(), score })
        }
        Ok(score) if score.is_finite() => Err(Problem::Fields(1)),
        _ => Err(Problem::NoNumber(score.to_owned())),
    }
}
