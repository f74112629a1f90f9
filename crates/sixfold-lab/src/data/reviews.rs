//! Texts with a class, one a row.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::{Column, Documents};
use crate::error::missing;

/// A text and its class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// The text, on one line and without marks of HTML.
    pub text: String,
    /// 0 for a bad one, 1 for a good one.
    pub class: usize,
}

/// Reads the reviews of a table (`.tsv`, `.tsv.gz`) with columns `label`, 0 or 1, and `text`.
///
/// # Errors
/// A file that cannot be read, columns that are not there, rows without a text, and labels that
/// are neither 0 nor 1, naming the file and the row.
pub fn reviews(path: &Path) -> Result<Vec<Review>> {
    let column = |name: &str| Documents::open(path, Some(&Column::Name(name.to_owned())));
    let (mut labels, mut texts) = (column("label")?, column("text")?);
    let mut found = Vec::new();
    loop {
        let row = found.len() + 1;
        match (labels.next().transpose()?, texts.next().transpose()?) {
            (None, None) => break,
            (Some(label), Some(text)) => {
                let class = match label.trim() {
                    "0" => 0,
                    "1" => 1,
                    other => {
                        let shown = path.display();
                        return Err(missing(format!(
                            "{shown}: the label of review {row} is `{other}`; 0 or 1 is expected"
                        )));
                    }
                };
                found.push(Review { text: text.replace("<br />", " "), class });
            }
            _ => {
                let shown = path.display();
                return Err(missing(format!("{shown}: a row has no label or no text")));
            }
        }
    }
    let none = || missing(format!("{}: no review", path.display()));
    (!found.is_empty()).then_some(found).ok_or_else(none).context("reviews")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Review>> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("reviews.tsv");
        std::fs::write(&path, text).unwrap();
        reviews(&path)
    }

    #[test]
    fn rows_are_read_and_marks_are_left_out() {
        let found = read("label\tid\ttext\n1\ta\tGood.<br /><br />Very.\n0\tb\tBad.\n").unwrap();
        let classes: Vec<usize> = found.iter().map(|review| review.class).collect();
        assert_eq!((found[0].text.as_str(), classes), ("Good.  Very.", vec![1, 0]));
    }

    #[test]
    fn what_is_no_review_is_an_error() {
        for (text, expected) in [
            ("label\ttext\n2\tSo so.\n", "the label of review 1 is `2`"),
            ("label\ttext\n1\t \n", "a row has no label or no text"),
            ("label\ttext\n", "no review"),
            ("class\ttext\n1\tGood.\n", "no column `label`"),
        ] {
            let error = format!("{:#}", read(text).unwrap_err());
            assert!(error.contains(expected), "{error}");
        }
    }
}
