//! What commands share.

use std::error::Error;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use lexopt::{Arg, Parser, ValueExt};
use sixfold_sgns::corpus::{CorpusConfig, InvalidUtf8, Normalise, Shard};

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

impl From<sixfold_sgns::Error> for Failure {
    fn from(error: sixfold_sgns::Error) -> Self {
        Self::Failed(Box::new(error))
    }
}

/// The lines of a help text about [`Text`].
pub(crate) const TEXT_HELP: &str = "\
Text:
  FILES...               One document a line; .gz is unpacked, - is the standard input
      --column N         Read only column N (from 0) of tab-separated lines
      --normalise RULE   whitespace (default): words are what stands between white space
                         letters: runs of letters, in lower case
                         ascii: runs of a-z, in lower case
      --replace-invalid  Replace bytes that are not UTF-8 instead of refusing them
      --block SIZE       Text that one thread takes at a time, and grain of shards [1M]
      --shard I/N        Only part I (from 0) of N, for merging
";

/// The text, as all commands that read one take it.
pub(crate) struct Text {
    pub(crate) corpus: CorpusConfig,
    pub(crate) shard: Option<Shard>,
}

impl Default for Text {
    fn default() -> Self {
        Self { corpus: CorpusConfig::new([""; 0]), shard: None }
    }
}

impl Text {
    /// Takes an argument if it is about the text.
    pub(crate) fn take(&mut self, argument: &Taken, parser: &mut Parser) -> Result<bool, Failure> {
        let corpus = &mut self.corpus;
        match argument {
            Taken::Value(path) => corpus.paths.push(path.clone()),
            Taken::Option(name) => match name.as_str() {
                "column" => corpus.column = Some(value(parser, name)?),
                "normalise" => {
                    corpus.normalise = choice(
                        parser,
                        name,
                        &[
                            ("whitespace", Normalise::Whitespace),
                            ("letters", Normalise::Letters),
                            ("ascii", Normalise::Ascii),
                        ],
                    )?
                }
                "replace-invalid" => corpus.invalid_utf8 = InvalidUtf8::Replace,
                "block" => corpus.block_bytes = size(parser, name)? as usize,
                "shard" => self.shard = Some(shard(parser)?),
                _ => return Ok(false),
            },
        }
        Ok(true)
    }
}

/// An argument; `-o` is `output`, `-n` is `number`, and `-h` is `help`.
pub(crate) enum Taken {
    /// A long option.
    Option(String),
    /// A file.
    Value(PathBuf),
}

/// The next argument.
pub(crate) fn next(parser: &mut Parser) -> Result<Option<Taken>, Failure> {
    Ok(match parser.next()? {
        None => None,
        Some(Arg::Long(name)) => Some(Taken::Option(name.into())),
        Some(Arg::Short('o')) => Some(Taken::Option("output".into())),
        Some(Arg::Short('n')) => Some(Taken::Option("number".into())),
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

/// Bytes, in units of 1024 by a letter: 512M.
pub(crate) fn size(parser: &mut Parser, name: &str) -> Result<u64, Failure> {
    let text = parser.value()?.string()?;
    let (digits, shift) = match text.char_indices().last() {
        Some((at, 'K' | 'k')) => (&text[..at], 10),
        Some((at, 'M' | 'm')) => (&text[..at], 20),
        Some((at, 'G' | 'g')) => (&text[..at], 30),
        Some((at, 'T' | 't')) => (&text[..at], 40),
        _ => (text.as_str(), 0),
    };
    let bytes = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << shift));
    bytes.ok_or_else(|| Failure::Usage(format!("--{name} is `{text}`, expected a size like 512M")))
}

fn shard(parser: &mut Parser) -> Result<Shard, Failure> {
    let text = parser.value()?.string()?;
    let numbers = text.split_once('/').map(|(index, total)| (index.parse(), total.parse()));
    let Some((Ok(index), Ok(total))) = numbers else {
        return Err(Failure::Usage(format!("--shard is `{text}`, expected I/N")));
    };
    Shard::new(index, total)
        .map_err(|_| Failure::Usage(format!("--shard is `{text}`, expected 0/{total} and on")))
}

/// An option that must be there.
pub(crate) fn needed<T>(value: Option<T>, name: &str) -> Result<T, Failure> {
    value.ok_or_else(|| Failure::Usage(format!("--{name} is missing")))
}

/// Refuses to write over what is read.
pub(crate) fn distinct(output: &Path, inputs: &[PathBuf]) -> Result<(), Failure> {
    let place = |path: &Path| path.canonicalize().ok();
    if inputs.is_empty() {
        return Err(Failure::Usage("expected files".into()));
    }
    match inputs.iter().find(|input| place(output).is_some_and(|o| place(input) == Some(o))) {
        Some(_) => {
            let what = format!("--output is `{}`, which is read", output.display());
            Err(Failure::Usage(what))
        }
        None => Ok(()),
    }
}

/// Says how it went, if somebody is looking.
pub(crate) fn tell(line: &str) {
    let mut stderr = std::io::stderr();
    if stderr.is_terminal() {
        // That a terminal is gone is no reason to fail.
        let _ = writeln!(stderr, "{line}");
    }
}
