//! Lines of a text file with their numbers.

use std::path::Path;

use sixfold_linalg::files::map_file;

use crate::{Error, Result};

/// Reads a file of UTF-8 text.
pub(super) fn read(path: &Path) -> Result<String> {
    let file = map_file(path)?;
    match std::str::from_utf8(&file) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text).to_owned()),
        Err(error) => {
            let line = 1 + memchr::memchr_iter(b'\n', &file[..error.valid_up_to()]).count();
            Err(Error::malformed(path, format!("line {line}: expected UTF-8")))
        }
    }
}

/// Lines that say something: number from 1, and text. Empty ones do not, nor do those from `#`.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(i, line)| (i + 1, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}
