//! Reading text files document by document.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use flate2::bufread::MultiGzDecoder;
use serde::{Deserialize, Serialize};

use crate::error::{doing, missing};

/// A column of a table: its name in the header line, or its number from 0 in a table without.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a column's name, or its number from 0 where there is no header")]
pub enum Column {
    /// Number from 0; every line is a row.
    Number(usize),
    /// Name; the first line is the header.
    Name(String),
}

/// The documents of a text file: one a paragraph, or one a row of a column.
///
/// `.gz` files are unpacked on the way, and nothing but the current document is kept.
pub struct Documents {
    lines: Box<dyn BufRead>,
    path: PathBuf,
    number: usize,
    column: Option<usize>,
}

impl Documents {
    /// Opens `path`; a `.tsv` or `.tsv.gz` file needs a `column`.
    ///
    /// # Errors
    /// A file that cannot be opened, a table without a column given, or the other way round.
    pub fn open(path: &Path, column: Option<&Column>) -> Result<Self> {
        let lines = Self::lines(path)?;
        let name = name_of(path);
        let is_table = name.trim_end_matches(".gz").ends_with(".tsv");
        let mut documents = Self { lines, path: path.to_owned(), number: 0, column: None };
        match (is_table, column) {
            (false, None) => {}
            (true, Some(column)) => documents.find(column)?,
            (true, None) => {
                let shown = path.display();
                return Err(missing(format!(
                    "{shown} is a table: name the column of the text with text.column"
                )));
            }
            (false, Some(_)) => {
                let shown = path.display();
                return Err(missing(format!(
                    "{shown} is not a table (.tsv, .tsv.gz): leave text.column out"
                )));
            }
        }
        Ok(documents)
    }

    /// The lines of a file, unpacked where its name ends in `.gz`.
    ///
    /// # Errors
    /// A file that cannot be opened.
    pub(crate) fn lines(path: &Path) -> Result<Box<dyn BufRead>> {
        let file = BufReader::new(File::open(path).with_context(|| doing("open", path))?);
        Ok(match name_of(path).ends_with(".gz") {
            true => Box::new(BufReader::new(MultiGzDecoder::new(file))),
            false => Box::new(file),
        })
    }

    fn find(&mut self, column: &Column) -> Result<()> {
        self.column = match column {
            Column::Number(number) => Some(*number),
            Column::Name(name) => {
                let header = self.line()?.unwrap_or_default();
                let found = header.split('\t').position(|known| known == name);
                if found.is_none() {
                    return Err(missing(format!(
                        "{}:1: no column `{name}`; there are: {}",
                        self.path.display(),
                        header.split('\t').collect::<Vec<_>>().join(", ")
                    )));
                }
                found
            }
        };
        Ok(())
    }

    /// The next line without its end.
    fn line(&mut self) -> Result<Option<String>> {
        let mut bytes = Vec::new();
        self.number += 1;
        let at = || format!("cannot read {}:{}", self.path.display(), self.number);
        if self.lines.read_until(b'\n', &mut bytes).with_context(at)? == 0 {
            return Ok(None);
        }
        let mut line = String::from_utf8(bytes)
            .with_context(|| format!("{}:{} is not UTF-8", self.path.display(), self.number))?;
        line.truncate(line.trim_end_matches(['\n', '\r']).len());
        if self.number == 1 && line.starts_with('\u{feff}') {
            line.drain(..'\u{feff}'.len_utf8());
        }
        Ok(Some(line))
    }

    /// All lines that are left, empty ones too.
    ///
    /// # Errors
    /// A file that cannot be read or is not UTF-8.
    pub fn into_lines(mut self) -> Result<Vec<String>> {
        std::iter::from_fn(|| self.line().transpose()).collect()
    }

    fn row(&mut self, column: usize) -> Result<Option<String>> {
        while let Some(line) = self.line()? {
            if line.is_empty() {
                continue;
            }
            let Some(text) = line.split('\t').nth(column) else {
                return Err(missing(format!(
                    "{}:{}: {} columns, and column {column} (from 0) is wanted",
                    self.path.display(),
                    self.number,
                    line.split('\t').count()
                )));
            };
            if !text.trim().is_empty() {
                return Ok(Some(text.to_owned()));
            }
        }
        Ok(None)
    }

    fn paragraph(&mut self) -> Result<Option<String>> {
        let mut text = String::new();
        while let Some(line) = self.line()? {
            match (line.trim().is_empty(), text.is_empty()) {
                (true, true) => {}
                (true, false) => break,
                (false, first) => {
                    if !first {
                        text.push('\n');
                    }
                    text.push_str(line.trim_end());
                }
            }
        }
        Ok((!text.is_empty()).then_some(text))
    }
}

/// The name of a file in lower case.
fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().to_lowercase()
}

impl Iterator for Documents {
    type Item = Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.column {
            Some(column) => self.row(column).transpose(),
            None => self.paragraph().transpose(),
        }
    }
}
