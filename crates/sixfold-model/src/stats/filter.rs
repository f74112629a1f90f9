//! Token filters: the same tokens are kept at every site, so that sites can be compared.

use std::collections::HashSet;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::str::FromStr;

use crate::Batch;

/// What can set a token apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenClass {
    /// It is the first of its sequence.
    pub first: bool,
    /// Its norm stands out at some site ([`NormTap::outliers`](super::NormTap::outliers)).
    pub outlier: bool,
    /// The model cannot tell it from a token seen before ([`Duplicates`]).
    pub duplicate: bool,
}

/// Which tokens a statistic is made of.
///
/// A handful of attention sinks can decide an anisotropy or a linearity on its own, so every
/// score is worth seeing with and without them.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum TokenFilter {
    /// `all`: every token that is not padding.
    #[default]
    All,
    /// `no_first`: without the first token of each sequence.
    NoFirst,
    /// `no_outliers`: without norm outliers.
    NoOutliers,
    /// `no_duplicates`: without tokens the model cannot tell from earlier ones.
    NoDuplicates,
    /// `no_sinks`: without first tokens and without norm outliers.
    NoSinks,
}

impl TokenFilter {
    /// All filters.
    pub const ALL: [Self; 5] =
        [Self::All, Self::NoFirst, Self::NoOutliers, Self::NoDuplicates, Self::NoSinks];

    /// The name in configs and results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::NoFirst => "no_first",
            Self::NoOutliers => "no_outliers",
            Self::NoDuplicates => "no_duplicates",
            Self::NoSinks => "no_sinks",
        }
    }

    /// Whether a token of that class counts.
    ///
    /// ```
    /// use sixfold_model::stats::{TokenClass, TokenFilter};
    ///
    /// let sink = TokenClass { first: true, outlier: true, duplicate: false };
    /// assert!(TokenFilter::All.keeps(sink));
    /// assert!(!TokenFilter::NoSinks.keeps(sink));
    /// ```
    pub fn keeps(self, class: TokenClass) -> bool {
        match self {
            Self::All => true,
            Self::NoFirst => !class.first,
            Self::NoOutliers => !class.outlier,
            Self::NoDuplicates => !class.duplicate,
            Self::NoSinks => !class.first && !class.outlier,
        }
    }

    /// Whether it needs to know outliers, and with them a pass over the text for the norms.
    pub fn needs_norms(self) -> bool {
        matches!(self, Self::NoOutliers | Self::NoSinks)
    }
}

impl fmt::Display for TokenFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A filter name that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no token filter: expected all, no_first, no_outliers, no_duplicates or no_sinks")]
pub struct UnknownFilter(pub String);

impl FromStr for TokenFilter {
    type Err = UnknownFilter;

    fn from_str(name: &str) -> Result<Self, UnknownFilter> {
        let found = Self::ALL.into_iter().find(|filter| filter.name() == name);
        found.ok_or_else(|| UnknownFilter(name.to_owned()))
    }
}

/// Finds tokens that a model cannot tell from earlier ones, from their ids alone.
///
/// In a causal model a state depends on the tokens up to it: equal prefixes give equal states.
/// In a bidirectional one it depends on the whole sequence and the place in it. Such copies
/// distort neighbour statistics, and the first token after a fixed beginning is always one.
#[derive(Clone, Debug, Default)]
pub struct Duplicates {
    causal: bool,
    seen: HashSet<u64>,
}

impl Duplicates {
    /// Starts without any token seen.
    pub fn new(causal: bool) -> Self {
        Self { causal, seen: HashSet::new() }
    }

    /// Marks the tokens of a batch that are not padding, row by row.
    pub fn mark(&mut self, batch: &Batch) -> Vec<bool> {
        let mut marks = Vec::with_capacity(batch.n_tokens());
        for (row, mask) in batch.mask().chunks(batch.len()).enumerate() {
            let ids: Vec<u32> = batch
                .row(row)
                .iter()
                .zip(mask)
                .filter(|(_, token)| **token)
                .map(|(&id, _)| id)
                .collect();
            let mut hasher = DefaultHasher::new();
            if !self.causal {
                ids.hash(&mut hasher);
            }
            for (position, id) in ids.iter().enumerate() {
                (position, id).hash(&mut hasher);
                marks.push(!self.seen.insert(hasher.finish()));
            }
        }
        marks
    }
}

/// The class of each token that is not padding, row by row. `outliers` are those of the batch,
/// in the same order; empty where they are not known.
pub fn classify(batch: &Batch, outliers: &[bool], duplicates: &mut Duplicates) -> Vec<TokenClass> {
    let marks = duplicates.mark(batch);
    let positions = batch.positions();
    let tokens = batch.token_indices().into_iter().enumerate();
    tokens
        .map(|(n, index)| TokenClass {
            first: positions[index] == 0,
            outlier: outliers.get(n).copied().unwrap_or(false),
            duplicate: marks[n],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PaddingSide;

    #[test]
    fn names_round_trip() {
        for filter in TokenFilter::ALL {
            assert_eq!(filter.name().parse(), Ok(filter));
        }
        assert!("no_such".parse::<TokenFilter>().is_err());
    }

    #[test]
    fn equal_prefixes_are_duplicates_of_a_causal_model_only() {
        let batch = Batch::pad(&[vec![1, 5, 6], vec![1, 5, 7, 8]], 0, PaddingSide::Left);
        let causal = Duplicates::new(true).mark(&batch);
        assert_eq!(causal, [false, false, false, true, true, false, false]);
        let mut both_ways = Duplicates::new(false);
        assert!(!both_ways.mark(&batch).contains(&true));
        assert!(!both_ways.mark(&batch).contains(&false));
    }

    #[test]
    fn first_tokens_are_found_behind_padding() {
        let batch = Batch::pad(&[vec![1, 5], vec![9]], 0, PaddingSide::Left);
        let classes = classify(&batch, &[false, true, false], &mut Duplicates::new(true));
        let first: Vec<bool> = classes.iter().map(|class| class.first).collect();
        let outlier: Vec<bool> = classes.iter().map(|class| class.outlier).collect();
        assert_eq!(first, [true, false, true]);
        assert_eq!(outlier, [false, true, false]);
    }
}
