//! Analogies: a is to b as c is to d.

use std::path::Path;

use super::lines::lines;
use crate::corpus::text_file;
use crate::{Error, Result};

/// a is to b as c is to d.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The words a, b and c.
    pub asked: [Box<str>; 3],
    /// The word d.
    pub answer: Box<str>,
}

/// Questions of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its name, such as `capital-common-countries`.
    pub name: String,
    /// The questions, in the order of the file.
    pub questions: Vec<Question>,
}

impl Section {
    /// Whether it asks for grammar and not for facts: its name begins with `gram`.
    pub fn is_syntactic(&self) -> bool {
        self.name.starts_with("gram")
    }
}

/// Analogies by sections, such as Google's `questions-words.txt`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Analogies {
    sections: Vec<Section>,
}

impl Analogies {
    /// Reads a file: lines `: name` begin a section, others have four words.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Malformed`] with the line; [`Error::Empty`] without questions.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        Self::of(path, &text_file(path)?)
    }

    /// Questions from the text of such a file.
    ///
    /// # Errors
    /// [`Error::Malformed`], of a file `analogies`, with the line; [`Error::Empty`] without questions.
    pub fn parse(text: &str) -> Result<Self> {
        Self::of(Path::new("analogies"), text)
    }

    fn of(path: &Path, text: &str) -> Result<Self> {
        let malformed =
            |number, what| Err(Error::malformed(path, format!("line {number}: {what}")));
        let mut sections: Vec<Section> = Vec::new();
        for (number, line) in lines(text) {
            if let Some(name) = line.strip_prefix(':') {
                let (name, questions) = (name.trim().to_owned(), Vec::new());
                sections.push(Section { name, questions });
                continue;
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            let [a, b, c, d] = words[..] else {
                return malformed(number, format!("expected four words, found {}", words.len()));
            };
            let Some(section) = sections.last_mut() else {
                return malformed(number, "expected a line `: section` before it".to_owned());
            };
            let asked = [a, b, c].map(Into::into);
            section.questions.push(Question { asked, answer: d.into() });
        }
        let analogies = Self { sections };
        if analogies.is_empty() {
            let reason = format!("{} has none", path.display());
            return Err(Error::Empty { what: "the list of analogies", reason });
        }
        Ok(analogies)
    }

    /// The sections, in the order of the file.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// How many questions there are in all.
    pub fn len(&self) -> usize {
        self.sections.iter().map(|section| section.questions.len()).sum()
    }

    /// Whether there is none; never after reading.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
