//! What commands share.

use std::error::Error;
use std::fmt::{Display, Write as _};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use lexopt::{Arg, Parser, ValueExt};
use sixfold_linalg::files::FileError;

/// How a command ends: what it prints, or why not.
pub(crate) type Outcome = Result<String, Failure>;

/// Why a command did not do what it should.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line is wrong.
    Usage(String),
    /// The work failed.
    Failed(Box<dyn Error>),
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<sixfold_tensor_train::Error> for Failure {
    fn from(error: sixfold_tensor_train::Error) -> Self {
        Self::Failed(Box::new(error))
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        sixfold_tensor_train::Error::from(error).into()
    }
}

/// An argument; `-o` is `out`, and `-h` is `help`.
pub(crate) enum Taken {
    /// A long option.
    Option(String),
    /// A file, or a number.
    Value(PathBuf),
}

/// The next argument.
pub(crate) fn next(parser: &mut Parser) -> Result<Option<Taken>, Failure> {
    Ok(match parser.next()? {
        None => None,
        Some(Arg::Long(name)) => Some(Taken::Option(name.into())),
        Some(Arg::Short('o')) => Some(Taken::Option("out".into())),
        Some(Arg::Short('h')) => Some(Taken::Option("help".into())),
        Some(Arg::Value(path)) => Some(Taken::Value(path.into())),
        Some(other) => return Err(other.unexpected().into()),
    })
}

/// There is no such argument.
pub(crate) fn unexpected(argument: &Taken) -> Failure {
    Failure::Usage(match argument {
        Taken::Option(name) => format!("no option `--{name}`"),
        Taken::Value(path) => format!("unexpected argument `{}`", path.display()),
    })
}

/// The value of an option.
pub(crate) fn value<T: FromStr>(parser: &mut Parser, name: &str) -> Result<T, Failure> {
    let text = parser.value()?.string()?;
    text.parse().map_err(|_| Failure::Usage(format!("--{name} cannot be `{text}`")))
}

/// Numbers between commas.
pub(crate) fn list(parser: &mut Parser, name: &str) -> Result<Vec<usize>, Failure> {
    let text = parser.value()?.string()?;
    let numbers: Result<_, _> = text.split(',').map(str::parse).collect();
    numbers.map_err(|_| {
        Failure::Usage(format!("--{name} is `{text}`, expected numbers like 29,31,34"))
    })
}

/// A compression, above 0.
pub(crate) fn compression(parser: &mut Parser, name: &str) -> Result<f64, Failure> {
    let found: f64 = value(parser, name)?;
    if found.is_finite() && found > 0.0 {
        return Ok(found);
    }
    Err(Failure::Usage(format!("--{name} is `{found}`, expected above 0")))
}

/// One of several names.
pub(crate) fn choice<T: Copy>(
    parser: &mut Parser,
    name: &str,
    choices: &[(&str, T)],
) -> Result<T, Failure> {
    let text = parser.value()?.string()?;
    let found = choices.iter().find(|(choice, _)| *choice == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = choices.iter().map(|(choice, _)| *choice).collect();
        Failure::Usage(format!("--{name} is `{text}`, expected {}", names.join(", ")))
    })
}

/// Sets what may be said once.
pub(crate) fn only<T>(place: &mut Option<T>, value: T, names: &'static str) -> Result<(), Failure> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Failure::Usage(format!("{names} exclude each other"))),
    }
}

/// An option that must be there.
pub(crate) fn needed<T>(value: Option<T>, name: &str) -> Result<T, Failure> {
    value.ok_or_else(|| Failure::Usage(format!("--{name} is missing")))
}

/// The file that a command reads.
pub(crate) fn file(path: Option<PathBuf>) -> Result<PathBuf, Failure> {
    path.ok_or_else(|| Failure::Usage("expected a file".into()))
}

/// Refuses to write over what is read.
pub(crate) fn distinct(out: &Path, input: &Path) -> Result<(), Failure> {
    let place = |path: &Path| path.canonicalize().ok();
    if place(out).is_some_and(|out| place(input) == Some(out)) {
        let what = format!("--out is `{}`, which is read", out.display());
        return Err(Failure::Usage(what));
    }
    Ok(())
}

/// A line of a report.
pub(crate) fn line(text: &mut String, name: &str, value: impl Display) {
    // A string takes all that is written to it.
    let _ = writeln!(text, "{name:<16}{value}");
}

/// Numbers as options take them.
pub(crate) fn commas(numbers: &[usize]) -> String {
    numbers.iter().map(usize::to_string).collect::<Vec<_>>().join(",")
}

/// Says what goes on, if somebody is looking.
pub(crate) fn tell(line: &str) {
    let mut stderr = std::io::stderr();
    if stderr.is_terminal() {
        // That a terminal is gone is no reason to fail.
        let _ = writeln!(stderr, "{line}");
    }
}
