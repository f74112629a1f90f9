//! Glob patterns over parameter paths.

use std::collections::BTreeSet;

use burn::module::Module;

use crate::{Error, Result, parameter_shapes};

/// Patterns over the paths of [`parameter_shapes`]; a path matches when one of them does.
///
/// A pattern is read segment by segment, at the dots:
///
/// | written | stands for |
/// |---|---|
/// | `**` | any number of segments, none included |
/// | `*` | any text within a segment: `*` alone, `norm_*` |
/// | `{query,key}` | one of the alternatives |
/// | `{0..4}`, `{0..=3}` | a number of the range, as Rust writes ranges |
///
/// ```
/// use sixfold_model::train::Patterns;
///
/// let patterns = Patterns::new(["embed.**", "blocks.{0..2}.mlp.{up,down}.*"])?;
/// assert!(patterns.matches("embed.tokens.weight"));
/// assert!(patterns.matches("blocks.1.mlp.up.bias"));
/// assert!(!patterns.matches("blocks.2.mlp.up.bias"));
/// # Ok::<(), sixfold_model::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patterns(Vec<Pattern>);

impl Patterns {
    /// Reads patterns.
    ///
    /// # Errors
    /// [`Error::Pattern`] for one that is empty, has an empty segment, or a brace that is not
    /// closed or holds a range that is none.
    pub fn new<S: AsRef<str>>(patterns: impl IntoIterator<Item = S>) -> Result<Self> {
        patterns
            .into_iter()
            .map(|text| Pattern::new(text.as_ref()))
            .collect::<Result<_>>()
            .map(Self)
    }

    /// Whether one of them matches the path.
    pub fn matches(&self, path: &str) -> bool {
        let path: Vec<&str> = path.split('.').collect();
        self.0.iter().any(|pattern| pattern.matches(&path))
    }

    /// The paths of the model's float parameters that match.
    ///
    /// # Errors
    /// [`Error::NoSuchParameter`] for a pattern that matches none, with the paths nearest to it.
    pub fn select<M: Module>(&self, model: &M) -> Result<BTreeSet<String>> {
        let paths: Vec<String> =
            parameter_shapes(model).into_iter().map(|(path, _)| path).collect();
        let mut selected = BTreeSet::new();
        for pattern in &self.0 {
            let matches = |path: &&String| {
                let path: Vec<&str> = path.split('.').collect();
                pattern.matches(&path)
            };
            let found: Vec<&String> = paths.iter().filter(matches).collect();
            if found.is_empty() {
                return Err(Error::NoSuchParameter {
                    pattern: pattern.text.clone(),
                    near: near(&pattern.text, &paths),
                });
            }
            selected.extend(found.into_iter().cloned());
        }
        Ok(selected)
    }

    /// The patterns as they were written.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|pattern| pattern.text.as_str())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    text: String,
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    /// `**`
    Many,
    /// Parts that follow each other within one segment.
    One(Vec<Part>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Star,
    OneOf(Vec<String>),
    /// From, up to and without.
    Range(u64, u64),
}

impl Pattern {
    fn new(text: &str) -> Result<Self> {
        let invalid = |problem: String| Error::Pattern { pattern: text.to_owned(), problem };
        let segments = split(text)
            .into_iter()
            .map(|segment| match segment {
                "" => Err(invalid("a segment is empty".to_owned())),
                "**" => Ok(Segment::Many),
                _ => parts(segment).map(Segment::One).map_err(invalid),
            })
            .collect::<Result<_>>()?;
        Ok(Self { text: text.to_owned(), segments })
    }

    fn matches(&self, path: &[&str]) -> bool {
        segments_match(&self.segments, path)
    }
}

/// Splits at the dots outside of braces.
fn split(text: &str) -> Vec<&str> {
    let (mut segments, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b'.' if depth == 0 => {
                segments.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    segments.push(&text[start..]);
    segments
}

fn parts(mut segment: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    while !segment.is_empty() {
        let end = segment.find(['*', '{', '}']).unwrap_or(segment.len());
        if end > 0 {
            parts.push(Part::Text(segment[..end].to_owned()));
        }
        segment = &segment[end..];
        if let Some(rest) = segment.strip_prefix('*') {
            parts.push(Part::Star);
            segment = rest;
        } else if let Some(rest) = segment.strip_prefix('{') {
            let Some((inner, rest)) = rest.split_once('}') else {
                return Err("`{` is not closed".to_owned());
            };
            parts.push(braces(inner)?);
            segment = rest;
        } else if segment.starts_with('}') {
            return Err("`}` closes nothing".to_owned());
        }
    }
    Ok(parts)
}

fn braces(inner: &str) -> Result<Part, String> {
    let Some((from, to)) = inner.split_once("..") else {
        return Ok(Part::OneOf(inner.split(',').map(str::to_owned).collect()));
    };
    let (to, inclusive) = match to.strip_prefix('=') {
        Some(to) => (to, 1),
        None => (to, 0),
    };
    match (from.parse::<u64>(), to.parse::<u64>()) {
        (Ok(from), Ok(to)) if from < to.saturating_add(inclusive) => {
            Ok(Part::Range(from, to.saturating_add(inclusive)))
        }
        _ => Err(format!("`{{{inner}}}` is no range of numbers with something in it")),
    }
}

fn segments_match(pattern: &[Segment], path: &[&str]) -> bool {
    match pattern.split_first() {
        None => path.is_empty(),
        Some((Segment::Many, rest)) => {
            (0..=path.len()).any(|skipped| segments_match(rest, &path[skipped..]))
        }
        Some((Segment::One(parts), rest)) => match path.split_first() {
            Some((segment, path)) => parts_match(parts, segment) && segments_match(rest, path),
            None => false,
        },
    }
}

fn parts_match(parts: &[Part], text: &str) -> bool {
    let Some((part, rest)) = parts.split_first() else { return text.is_empty() };
    let after =
        |prefix: &str| text.strip_prefix(prefix).is_some_and(|text| parts_match(rest, text));
    match part {
        Part::Text(prefix) => after(prefix),
        Part::OneOf(choices) => choices.iter().any(|choice| after(choice)),
        Part::Star => text
            .char_indices()
            .map(|(at, _)| at)
            .chain([text.len()])
            .any(|at| parts_match(rest, &text[at..])),
        Part::Range(from, to) => {
            let digits = text.bytes().take_while(u8::is_ascii_digit).count();
            let number = text[..digits].parse::<u64>();
            // The whole number counts: `{0..2}` does not take the 1 of `layer12`.
            number.is_ok_and(|number| (*from..*to).contains(&number))
                && parts_match(rest, &text[digits..])
        }
    }
}

/// The paths nearest to a pattern that matches none, by edit distance.
fn near(pattern: &str, paths: &[String]) -> Vec<String> {
    let mut ranked: Vec<(usize, &String)> =
        paths.iter().map(|path| (distance(pattern, path), path)).collect();
    ranked.sort();
    ranked.into_iter().take(3).map(|(_, path)| path.clone()).collect()
}

/// Levenshtein's distance, one row at a time.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
