//! `key=value` arguments.

use anyhow::Result;
use toml::{Table, Value};

use crate::error::config;

/// One `key=value` of the command line.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    /// The dotted key.
    pub key: String,
    /// The value as TOML, or the text itself where it is none.
    pub value: Value,
    /// The text behind the equals sign.
    pub raw: String,
}

impl Override {
    /// Reads `key=value`: a dotted key of bare names, then a TOML value or plain text.
    ///
    /// # Errors
    /// A text without `=`, or a key that is not dotted bare names.
    ///
    /// ```
    /// use sixfold_lab::config::Override;
    ///
    /// assert_eq!(Override::parse("text.max_tokens=512")?.value, toml::Value::Integer(512));
    /// assert_eq!(Override::parse("text.path=a.txt")?.value.as_str(), Some("a.txt"));
    /// # anyhow::Ok(())
    /// ```
    pub fn parse(text: &str) -> Result<Self> {
        let Some((key, raw)) = text.split_once('=') else {
            return Err(config(format!(
                "command line: `{text}` is no override: write key=value, for example seed=1"
            )));
        };
        let key = key.trim();
        let bare = |part: &str| {
            !part.is_empty()
                && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
        };
        if !key.split('.').all(bare) {
            return Err(config(format!(
                "command line: `{key}` is no key: write names joined by dots, for example \
                 text.max_tokens=512"
            )));
        }
        let raw = raw.trim();
        Ok(Self { key: key.to_owned(), value: value(raw), raw: raw.to_owned() })
    }
}

/// `raw` as a TOML value, or as a string where it is none.
fn value(raw: &str) -> Value {
    let text = Value::String(raw.to_owned());
    // A line break would let the text bring further keys.
    if raw.contains('\n') {
        return text;
    }
    match format!("value = {raw}").parse::<Table>() {
        Ok(mut table) if table.len() == 1 => table.remove("value").unwrap_or(text),
        _ => text,
    }
}
