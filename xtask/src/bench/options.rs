//! What `cargo xtask bench` takes for itself; the rest is cargo's and, behind `--`, criterion's.

use std::ffi::OsString;

use anyhow::{Context as _, Result, ensure};

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// The name under which the estimates are kept.
    pub(super) save: Option<String>,
    /// The name of the kept estimates that the new ones are compared with.
    pub(super) against: Option<String>,
    /// Before `--`.
    pub(super) cargo: Vec<OsString>,
    /// After `--`.
    pub(super) criterion: Vec<OsString>,
}

impl Options {
    pub(super) fn parse(arguments: Vec<OsString>) -> Result<Self> {
        let mut options = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let text = argument.to_str().unwrap_or_default();
            let (flag, value) = match text.split_once('=') {
                Some((flag, value)) => (flag, Some(value.to_owned())),
                None => (text, None),
            };
            let place = match flag {
                "--" => {
                    options.criterion.extend(arguments);
                    break;
                }
                "--save" => &mut options.save,
                "--against" => &mut options.against,
                _ => {
                    options.cargo.push(argument);
                    continue;
                }
            };
            let value = value.or_else(|| arguments.next()?.into_string().ok());
            let name = value.with_context(|| format!("{flag} needs a name"))?;
            let plain = |c: char| c.is_alphanumeric() || "._-".contains(c);
            ensure!(
                name.starts_with(char::is_alphanumeric) && name.chars().all(plain),
                "{flag} `{name}`: a name has letters, digits, `.`, `_` and `-`, a letter or digit first"
            );
            *place = Some(name);
        }
        Ok(options)
    }

    /// Cargo's arguments without those that choose benches.
    pub(super) fn without_targets(&self) -> Vec<OsString> {
        let mut kept = Vec::new();
        let mut arguments = self.cargo.iter();
        while let Some(argument) = arguments.next() {
            let text = argument.to_str().unwrap_or_default();
            if text == "--bench" {
                arguments.next();
            } else if text != "--benches" && !text.starts_with("--bench=") {
                kept.push(argument.clone());
            }
        }
        kept
    }

    /// Cargo's arguments for a build: all benches where none is named, and not the library's tests.
    pub(super) fn for_build(&self) -> Vec<OsString> {
        let mut arguments = self.cargo.clone();
        if self.without_targets().len() == arguments.len() {
            arguments.push("--benches".into());
        }
        arguments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Options> {
        Options::parse(text.split_whitespace().map(OsString::from).collect())
    }

    fn joined(arguments: &[OsString]) -> String {
        arguments.join(" ".as_ref()).into_string().unwrap()
    }

    #[test]
    fn its_own_options_are_taken_out() {
        let options = parsed(
            "--save now --no-default-features --against=v0.1 --bench linalg -- --save x eigh",
        )
        .unwrap();
        assert_eq!(options.save.as_deref(), Some("now"));
        assert_eq!(options.against.as_deref(), Some("v0.1"));
        assert_eq!(joined(&options.cargo), "--no-default-features --bench linalg");
        assert_eq!(joined(&options.criterion), "--save x eigh");
        assert_eq!(joined(&options.without_targets()), "--no-default-features");
        assert_eq!(options.for_build(), options.cargo);
    }

    #[test]
    fn without_a_bench_all_are_built() {
        let options = parsed("eigh --features x").unwrap();
        assert_eq!(joined(&options.for_build()), "eigh --features x --benches");
        let named = parsed("--bench=model --benches eigh").unwrap();
        assert_eq!(joined(&named.without_targets()), "eigh");
    }

    #[test]
    fn names_are_plain() {
        for wrong in ["--save", "--save ../up", "--against a,b", "--save --against x", "--save="] {
            let error = parsed(wrong).unwrap_err().to_string();
            let flag = wrong.split([' ', '=']).next().unwrap();
            assert!(error.starts_with(flag), "{wrong}: {error}");
        }
    }
}
