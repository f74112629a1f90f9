//! The header of a `.npy` file.
//!
//! The crates that read it parse any Python literal, in exponential time for nested brackets; the
//! header of an array needs three kinds of values.

use super::element::{Element, Stored};

/// The first bytes of every `.npy` file.
pub(super) const MAGIC: &[u8] = b"\x93NUMPY";

/// Data begins at a multiple of this.
const ALIGNMENT: usize = 64;

/// The header of a matrix in rows, of which `descr` is the type: version 1.0.
pub(super) fn header(descr: &str, rows: usize, columns: usize) -> Vec<u8> {
    let text =
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    let before = MAGIC.len() + 4;
    let padded = (before + text.len() + 1).next_multiple_of(ALIGNMENT) - before - 1;
    let mut bytes = MAGIC.to_vec();
    bytes.extend([1, 0]);
    // Two numbers of at most 20 digits: far below the 64 KiB of this version.
    bytes.extend(((padded + 1) as u16).to_le_bytes());
    bytes.extend(format!("{text:<padded$}\n").bytes());
    bytes
}

/// What the bytes of a whole file hold, or what is wrong with them.
pub(super) fn parse(file: &[u8]) -> Result<Stored, String> {
    let rest = file.strip_prefix(MAGIC).ok_or("does not begin as a .npy file does")?;
    let (length, width) = match *rest {
        [1, 0, a, b, ..] => (usize::from(u16::from_le_bytes([a, b])), 2),
        [2 | 3, 0, a, b, c, d, ..] => (u32::from_le_bytes([a, b, c, d]) as usize, 4),
        [1..=3, 0, ..] | [] | [_] => return Err("truncated within its first bytes".into()),
        [major, minor, ..] => {
            return Err(format!("has version {major}.{minor}, expected 1.0, 2.0 or 3.0"));
        }
    };
    let begin = MAGIC.len() + 2 + width;
    let data = begin.saturating_add(length);
    let text = file
        .get(begin..data)
        .ok_or_else(|| format!("truncated: its header ends at byte {data} of {}", file.len()))?;
    let text = std::str::from_utf8(text).map_err(|_| "has a header that is no text")?;
    let Header { descr, columns_first, shape } =
        Header::parse(text).map_err(|expected| format!("has a header without {expected}"))?;

    let (element, width) = match descr.as_str() {
        "<f2" => (Ok(Element::F16), Some(2)),
        "<f4" => (Ok(Element::F32), Some(4)),
        "<f8" => (Ok(Element::F64), Some(8)),
        // `matrix` refuses it: bytes of another type need no counting.
        _ => (Err(format!("`{descr}`")), None),
    };
    if let Some(width) = width {
        let bytes = shape.iter().try_fold(width, |product: usize, &n| product.checked_mul(n));
        let end = bytes.and_then(|bytes| bytes.checked_add(data));
        let end = end.ok_or_else(|| format!("has shape {shape:?}, more than any file holds"))?;
        if end != file.len() {
            let state = if end > file.len() { "truncated" } else { "too long" };
            let found = file.len();
            return Err(format!(
                "{state}: shape {shape:?} ends at byte {end}, the file at {found}"
            ));
        }
    }
    Ok(Stored { element, shape, columns_first, range: data..file.len() })
}

/// The dictionary of the header.
struct Header {
    descr: String,
    columns_first: bool,
    shape: Vec<usize>,
}

impl Header {
    /// Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }`, keys in any order, or
    /// says what it expected.
    fn parse(text: &str) -> Result<Self, &'static str> {
        let mut rest = Rest(text);
        let (mut descr, mut columns_first, mut shape) = (None, None, None);
        rest.expect("{").ok_or("a dictionary")?;
        while rest.expect("}").is_none() {
            let key = rest.string().ok_or("a key in quotes")?;
            rest.expect(":").ok_or("`:` after a key")?;
            match key {
                "descr" => descr = Some(rest.value().ok_or("a value of `descr`")?.to_owned()),
                "fortran_order" => {
                    columns_first = Some(rest.truth().ok_or("True or False for `fortran_order`")?);
                }
                "shape" => shape = Some(rest.tuple().ok_or("a tuple of integers for `shape`")?),
                _ => return Err("any but the keys `descr`, `fortran_order` and `shape`"),
            }
            if rest.expect(",").is_none() && !rest.0.trim_start().starts_with('}') {
                return Err("`,` or `}` after a value");
            }
        }
        if !rest.0.trim().is_empty() {
            return Err("an end after its dictionary");
        }
        Ok(Self {
            descr: descr.ok_or("`descr`")?,
            columns_first: columns_first.ok_or("`fortran_order`")?,
            shape: shape.ok_or("`shape`")?,
        })
    }
}

/// What has not been read yet. Spaces before a token do not count.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn expect(&mut self, token: &str) -> Option<()> {
        self.0 = self.0.trim_start().strip_prefix(token)?;
        Some(())
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (token, rest) = self.0.split_at(length);
        self.0 = rest;
        token
    }

    /// A string in quotes of either kind, without escapes.
    fn string(&mut self) -> Option<&'a str> {
        let text = self.0.trim_start();
        let quote = text.chars().next().filter(|quote| ['\'', '"'].contains(quote))?;
        let (string, rest) = text[1..].split_once(quote)?;
        self.0 = rest;
        Some(string)
    }

    /// A type: a string, or the list of a record, of which only the text is of use.
    fn value(&mut self) -> Option<&'a str> {
        self.0 = self.0.trim_start();
        if !self.0.starts_with('[') {
            return self.string();
        }
        Some(self.take(self.0.rfind(']')? + 1))
    }

    fn truth(&mut self) -> Option<bool> {
        self.expect("True").map(|()| true).or_else(|| self.expect("False").map(|()| false))
    }

    fn tuple(&mut self) -> Option<Vec<usize>> {
        self.expect("(")?;
        let (numbers, rest) = self.0.split_once(')')?;
        self.0 = rest;
        let numbers = numbers.trim();
        if numbers.is_empty() {
            return Some(Vec::new());
        }
        // Python 2 wrote long integers with an L.
        let number = |n: &str| n.trim().trim_end_matches('L').parse().ok();
        numbers.strip_suffix(',').unwrap_or(numbers).split(',').map(number).collect()
    }
}
