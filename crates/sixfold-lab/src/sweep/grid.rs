//! `key=a,b,c`: the values of a key, and the product of all keys.

use anyhow::Result;

use crate::config::Override;
use crate::error::config;

/// Most cells of one sweep; more is a slip of the keyboard.
const MOST: usize = 10_000;

/// A key and the values that it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    /// The dotted key.
    pub key: String,
    /// Its values as they were written; one for a plain override.
    pub values: Vec<String>,
}

impl Axis {
    /// Reads `key=a,b,c`.
    ///
    /// # Errors
    /// Exit code 2: no key, an empty value among several, one that stands twice, or a quote or a
    /// bracket that is not closed.
    pub fn parse(argument: &str) -> Result<Self> {
        // The same complaints about keys as those of `run`.
        let Override { key, raw, .. } = Override::parse(argument)?;
        let Some(values) = values(&raw) else {
            return Err(config(format!(
                "command line: {key}: a quote or a bracket is not closed in `{raw}`"
            )));
        };
        if values.len() > 1 && values.iter().any(String::is_empty) {
            return Err(config(format!("command line: {key}: a value is empty in `{raw}`")));
        }
        let twice = |(index, value): &(usize, &String)| values[..*index].contains(value);
        if let Some((_, value)) = values.iter().enumerate().find(twice) {
            return Err(config(format!("command line: {key}: the value `{value}` stands twice")));
        }
        Ok(Self { key, values })
    }

    /// Whether it tells cells apart.
    pub fn is_swept(&self) -> bool {
        self.values.len() > 1
    }
}

/// The values between the commas at the top level of `text`: a comma inside of brackets, braces
/// or quotes does not part two values. `None` where one of those is not closed.
///
/// ```
/// use sixfold_lab::sweep::values;
///
/// assert_eq!(values("1e-3, 3e-3"), Some(vec!["1e-3".to_owned(), "3e-3".to_owned()]));
/// assert_eq!(values("[1,2],[3]"), Some(vec!["[1,2]".to_owned(), "[3]".to_owned()]));
/// assert_eq!(values("[1,2"), None);
/// ```
pub fn values(text: &str) -> Option<Vec<String>> {
    let mut values = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let closed = structure(rest)?;
        let end = rest[closed..].find(',').map(|comma| closed + comma);
        values.push(rest[..end.unwrap_or(rest.len())].trim_end().to_owned());
        match end {
            Some(comma) => rest = &rest[comma + 1..],
            None => return Some(values),
        }
    }
}

/// How many bytes at the begin of `text` are a quoted string, a list or a table; 0 for plain
/// text, in which quotes and brackets mean nothing. `None` where it does not end.
fn structure(text: &str) -> Option<usize> {
    if !text.starts_with(['"', '\'', '[', '{']) {
        return Some(0);
    }
    let mut open = Vec::new();
    let mut quote = None;
    let mut escaped = false;
    for (index, c) in text.char_indices() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some('"'), '\\') => escaped = true,
            (Some(mark), c) if c == mark => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[') => open.push(']'),
            (None, '{') => open.push('}'),
            (None, ']' | '}') if open.pop() != Some(c) => return None,
            _ => {}
        }
        if quote.is_none() && open.is_empty() {
            return Some(index + c.len_utf8());
        }
    }
    None
}

/// The axes of a command line.
///
/// # Errors
/// Those of [`Axis::parse`], and a key that stands twice.
pub(crate) fn axes(arguments: &[String]) -> Result<Vec<Axis>> {
    let mut axes: Vec<Axis> = Vec::new();
    for argument in arguments {
        let axis = Axis::parse(argument)?;
        if axes.iter().any(|other| other.key == axis.key) {
            let key = axis.key;
            return Err(config(format!("command line: {key} stands twice; write {key}=a,b")));
        }
        axes.push(axis);
    }
    Ok(axes)
}

/// The overrides of every cell, in the order given: the last key changes fastest.
///
/// # Errors
/// Exit code 2: more than ten thousand cells.
pub(crate) fn product(axes: &[Axis]) -> Result<Vec<Vec<String>>> {
    let count = axes.iter().try_fold(1_usize, |n, axis| n.checked_mul(axis.values.len()));
    if count.is_none_or(|count| count > MOST) {
        return Err(config(format!("command line: more than {MOST} cells")));
    }
    let mut cells: Vec<Vec<String>> = vec![Vec::new()];
    for Axis { key, values } in axes {
        cells = cells
            .iter()
            .flat_map(|cell| {
                let longer = |value| cell.iter().cloned().chain([format!("{key}={value}")]);
                values.iter().map(move |value| longer(value).collect())
            })
            .collect();
    }
    Ok(cells)
}
