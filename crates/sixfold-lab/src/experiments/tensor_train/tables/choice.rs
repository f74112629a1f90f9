//! What a config calls a table: `dense`, `tt-16`, `low-rank-tied`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A form that an embedding table can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// V·D numbers.
    Dense,
    /// A tensor train.
    Train,
    /// A tensor ring.
    Ring,
    /// A product of two matrices.
    LowRank,
    /// Products of rows of two small tables.
    QuotientRemainder,
    /// Weighted sums of rows of one small table.
    Hash,
}

impl Form {
    const ALL: [Self; 6] =
        [Self::Dense, Self::Train, Self::Ring, Self::LowRank, Self::QuotientRemainder, Self::Hash];

    fn name(self) -> &'static str {
        match self {
            Self::Dense => "dense",
            Self::Train => "tt",
            Self::Ring => "tr",
            Self::LowRank => "low-rank",
            Self::QuotientRemainder => "quotient-remainder",
            Self::Hash => "hash",
        }
    }

    fn has_ranks(self) -> bool {
        matches!(self, Self::Train | Self::Ring | Self::LowRank)
    }
}

/// A table of a comparison, as configs and results call it: a [`Form`], the rank if it is not the
/// experiment's, and `tied` where one table is both read and scored with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Choice {
    /// Its form.
    pub form: Form,
    /// Its rank, where the name says one.
    pub rank: Option<usize>,
    /// One table for the vectors that go in and the scores that come out.
    pub tied: bool,
}

/// A name that is no table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no table; expected one of dense, tt, tr, low-rank, quotient-remainder, hash, then -RANK \
     for tt, tr and low-rank, then -tied for a table that is read and scored with: `tt-16-tied`"
)]
pub struct UnknownTable(String);

impl FromStr for Choice {
    type Err = UnknownTable;

    fn from_str(name: &str) -> Result<Self, UnknownTable> {
        let unknown = || UnknownTable(name.to_owned());
        let (rest, tied) = match name.strip_suffix("-tied") {
            Some(rest) => (rest, true),
            None => (name, false),
        };
        let form =
            Form::ALL.into_iter().find_map(|form| Some((form, rest.strip_prefix(form.name())?)));
        let (form, rank) = form.ok_or_else(unknown)?;
        let rank = match rank.strip_prefix('-') {
            None if rank.is_empty() => None,
            Some(number) if form.has_ranks() => {
                Some(number.parse().ok().filter(|rank| *rank > 0).ok_or_else(unknown)?)
            }
            _ => return Err(unknown()),
        };
        Ok(Self { form, rank, tied })
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.form.name())?;
        if let Some(rank) = self.rank {
            write!(f, "-{rank}")?;
        }
        f.write_str(if self.tied { "-tied" } else { "" })
    }
}

impl Serialize for Choice {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Choice {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        for name in ["dense", "dense-tied", "tt", "tt-16-tied", "tr-8", "low-rank-5", "hash"] {
            assert_eq!(name.parse::<Choice>().unwrap().to_string(), name);
        }
        let choice: Choice = "tt-16-tied".parse().unwrap();
        assert_eq!(choice, Choice { form: Form::Train, rank: Some(16), tied: true });
    }

    #[test]
    fn other_names_are_errors() {
        for name in
            ["", "tensor-train", "tt-", "tt-0", "tt-x", "hash-4", "dense-16", "tt16", "tied"]
        {
            let error = name.parse::<Choice>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{name}` is no table")), "{error}");
        }
    }
}
