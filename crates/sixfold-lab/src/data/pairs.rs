//! Sentences and their translations.

use std::path::Path;

use anyhow::{Result, ensure};

use super::Documents;
use crate::error::missing;

/// A sentence and its translation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// What is translated.
    pub source: String,
    /// What it becomes.
    pub target: String,
}

/// The pairs of two text files, the i-th line of one and that of the other; `.gz` allowed. Pairs
/// without one of the two sentences are left out.
///
/// # Errors
/// Files that cannot be read, that differ in their number of lines, or that have no pair.
pub fn read_pairs(source: &Path, target: &Path) -> Result<Vec<Pair>> {
    let lines = |path| -> Result<Vec<String>> { Documents::open(path, None)?.into_lines() };
    let [sources, targets] = [lines(source)?, lines(target)?];
    ensure!(
        sources.len() == targets.len(),
        missing(format!(
            "{} has {} lines and {} has {}: a sentence and its translation stand on the same line",
            source.display(),
            sources.len(),
            target.display(),
            targets.len()
        ))
    );
    let trimmed = |text: &str| text.trim().to_owned();
    let pairs = sources.iter().zip(&targets);
    let pairs =
        pairs.map(|(source, target)| Pair { source: trimmed(source), target: trimmed(target) });
    let pairs: Vec<Pair> =
        pairs.filter(|pair| !pair.source.is_empty() && !pair.target.is_empty()).collect();
    ensure!(
        !pairs.is_empty(),
        missing(format!("{} and {} have no pair of sentences", source.display(), target.display()))
    );
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_paired_and_files_must_agree() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let de = file("a.de", "Ein Hund .\r\n\nZwei Männer\n");
        let pairs = read_pairs(&de, &file("a.en", "A dog.\nNobody\n Two men \n")).unwrap();
        let targets: Vec<&str> = pairs.iter().map(|pair| pair.target.as_str()).collect();
        assert_eq!((targets, pairs[1].source.as_str()), (vec!["A dog.", "Two men"], "Zwei Männer"));
        let error = read_pairs(&de, &file("b.en", "A dog.\n")).unwrap_err().to_string();
        assert!(error.contains("a.de has 3 lines") && error.contains("b.en has 1"), "{error}");
        let empty = [file("e.de", ""), file("e.en", "")];
        let error = read_pairs(&empty[0], &empty[1]).unwrap_err().to_string();
        assert!(error.contains("e.en have no pair"), "{error}");
    }
}
