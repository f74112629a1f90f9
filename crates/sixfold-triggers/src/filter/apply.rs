//! Rules one after the other.

use std::fmt;

use rustc_hash::FxHashSet;

use super::RoundTrip;
use super::association::ClassCounts;
use super::config::{FilterConfig, Words};
use super::vocabulary::Vocabulary;
use crate::{Error, Result};

/// Why a token may not be tried. A token counts for the first rule that removes it, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// No text is made of it.
    Special,
    /// It is more than ASCII letters, digits and `_`.
    Paper,
    /// It is no such token of a word as is asked for.
    Words,
    /// It is a word of a class's name.
    Labels,
    /// It is not on the list of those that remain.
    Only,
    /// It is on the list of those that are removed.
    Exclude,
    /// It does not come back from its text.
    RoundTrip,
    /// The texts have it too seldom.
    Rare,
    /// It goes with a class.
    Association,
}

impl Rule {
    /// All rules, in their order.
    pub const ALL: [Self; 9] = [
        Self::Special,
        Self::Paper,
        Self::Words,
        Self::Labels,
        Self::Only,
        Self::Exclude,
        Self::RoundTrip,
        Self::Rare,
        Self::Association,
    ];

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Special => "special",
            Self::Paper => "paper",
            Self::Words => "words",
            Self::Labels => "labels",
            Self::Only => "only",
            Self::Exclude => "exclude",
            Self::RoundTrip => "round-trip",
            Self::Rare => "rare",
            Self::Association => "association",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A filter over one vocabulary.
///
/// ```
/// use sixfold_triggers::filter::{FilterConfig, Rule, TokenFilter, Vocabulary, WordMark, Words};
///
/// let tokens = ["[CLS]", "the", "##ing", "good", "!"].map(String::from).to_vec();
/// let vocabulary = Vocabulary::new(tokens, [0], WordMark::WordPiece)?;
/// let config = FilterConfig {
///     words: Words::Whole,
///     exclude: vec!["good".into()],
///     ..FilterConfig::default()
/// };
/// let filtered = TokenFilter::new(&config, &vocabulary).apply()?;
/// assert_eq!(filtered.allowed(), [false, true, false, false, false]);
/// assert_eq!(filtered.removed(Rule::Paper), 1);
/// # Ok::<(), sixfold_triggers::Error>(())
/// ```
pub struct TokenFilter<'a> {
    config: &'a FilterConfig,
    vocabulary: &'a Vocabulary,
    round_trip: Option<RoundTrip<'a>>,
    counts: Option<&'a ClassCounts>,
}

impl fmt::Debug for TokenFilter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenFilter").field("config", self.config).finish_non_exhaustive()
    }
}

impl<'a> TokenFilter<'a> {
    /// A filter without texts and without a tokenizer.
    pub fn new(config: &'a FilterConfig, vocabulary: &'a Vocabulary) -> Self {
        Self { config, vocabulary, round_trip: None, counts: None }
    }

    /// With what tells whether tokens, decoded to text and encoded again, are the same.
    #[must_use]
    pub fn with_round_trip(self, reproduces: RoundTrip<'a>) -> Self {
        Self { round_trip: Some(reproduces), ..self }
    }

    /// With the user's texts, counted by class.
    #[must_use]
    pub fn with_counts(self, counts: &'a ClassCounts) -> Self {
        Self { counts: Some(counts), ..self }
    }

    /// Which tokens remain, and what removed the others.
    ///
    /// # Errors
    /// [`Error::Config`] for settings that make no sense, for `round-trip` and `association` without what they need,
    /// and for a word of `only` that is no token; [`Error::Mismatch`] for counts of another vocabulary;
    /// [`Error::EmptyVocabulary`] if nothing remains.
    pub fn apply(&self) -> Result<Filtered> {
        self.check()?;
        let lists = Lists::of(self.config);
        let reasons: Vec<Option<Rule>> =
            (0..self.vocabulary.len() as u32).map(|id| self.reason(id, &lists)).collect();
        let filtered = Filtered { reasons };
        if filtered.remaining() > 0 {
            return Ok(filtered);
        }
        let counts = Rule::ALL.map(|rule| (rule, filtered.removed(rule)));
        let removed = counts.iter().filter(|(_, count)| *count > 0);
        Err(Error::EmptyVocabulary {
            vocabulary: self.vocabulary.len(),
            removed: removed.map(|(rule, count)| format!("{rule} removes {count}")).collect(),
        })
    }

    fn check(&self) -> Result<()> {
        self.config.validate()?;
        let mut problems = Vec::new();
        if self.config.round_trip && self.round_trip.is_none() {
            problems.push("round-trip needs a tokenizer, which is not there".to_owned());
        }
        if self.config.association.is_some() && self.counts.is_none() {
            problems.push("association needs texts, which are not there".to_owned());
        }
        let ids = 0..self.vocabulary.len() as u32;
        let known: FxHashSet<&str> =
            ids.flat_map(|id| [self.vocabulary.token(id), self.vocabulary.surface(id)]).collect();
        let unknown = self.config.only.iter().filter(|word| !known.contains(word.as_str()));
        problems.extend(unknown.map(|word| format!("only has `{word}`, which is no token")));
        if !problems.is_empty() {
            return Err(Error::Config { problems });
        }
        match self.counts {
            Some(counts) if counts.vocab_size() != self.vocabulary.len() => Err(Error::Mismatch {
                what: "the number of tokens that were counted",
                expected: self.vocabulary.len().to_string(),
                found: counts.vocab_size().to_string(),
            }),
            _ => Ok(()),
        }
    }

    fn reason(&self, id: u32, lists: &Lists<'_>) -> Option<Rule> {
        let (config, vocabulary) = (self.config, self.vocabulary);
        let (token, surface) = (vocabulary.token(id), vocabulary.surface(id));
        if vocabulary.is_special(id) {
            return Some(Rule::Special);
        }
        if config.paper && !is_plain(surface) {
            return Some(Rule::Paper);
        }
        let is_lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let fits = match config.words {
            Words::Any => true,
            Words::Begin => vocabulary.begins_word(id),
            Words::Whole => {
                let is_whole = !surface.is_empty() && surface.bytes().all(is_lower);
                is_whole && vocabulary.begins_word(id)
            }
        };
        if !fits {
            return Some(Rule::Words);
        }
        if lists.labels.contains(&surface.to_lowercase()) {
            return Some(Rule::Labels);
        }
        let on = |list: &FxHashSet<&str>| list.contains(token) || list.contains(surface);
        if !lists.only.is_empty() && !on(&lists.only) {
            return Some(Rule::Only);
        }
        if on(&lists.exclude) {
            return Some(Rule::Exclude);
        }
        if let (true, Some(reproduces)) = (config.round_trip, self.round_trip)
            && !reproduces(&[id])
        {
            return Some(Rule::RoundTrip);
        }
        if let (Some(association), Some(counts)) = (&config.association, self.counts) {
            if counts.occurrences(id) < association.min_count {
                return Some(Rule::Rare);
            }
            if counts.log_odds(id, association.smoothing) > association.threshold {
                return Some(Rule::Association);
            }
        }
        None
    }
}

/// What the published code keeps: its range `A-z` also has `[ ] \ ^` and the backtick, which are no word characters,
/// and `_`, which is one. An empty string is no token of a text.
fn is_plain(surface: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !surface.is_empty() && surface.bytes().all(is_plain)
}

/// The words of a config.
struct Lists<'a> {
    labels: FxHashSet<String>,
    only: FxHashSet<&'a str>,
    exclude: FxHashSet<&'a str>,
}

impl<'a> Lists<'a> {
    fn of(config: &'a FilterConfig) -> Self {
        // `not_entailment` is two words.
        let words =
            config.labels.iter().flat_map(|label| label.split(|c: char| !c.is_alphanumeric()));
        Self {
            labels: words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect(),
            only: config.only.iter().map(String::as_str).collect(),
            exclude: config.exclude.iter().map(String::as_str).collect(),
        }
    }
}

/// What a filter leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filtered {
    reasons: Vec<Option<Rule>>,
}

impl Filtered {
    /// One flag a token, as [`Search`](crate::Search) takes them.
    pub fn allowed(&self) -> Vec<bool> {
        self.reasons.iter().map(Option::is_none).collect()
    }

    /// Why each token may not be tried; `None` for those that may.
    pub fn reasons(&self) -> &[Option<Rule>] {
        &self.reasons
    }

    /// Tokens that may be tried.
    pub fn remaining(&self) -> usize {
        self.reasons.iter().filter(|reason| reason.is_none()).count()
    }

    /// Tokens that a rule removed and none before it.
    pub fn removed(&self, rule: Rule) -> usize {
        self.reasons.iter().filter(|reason| **reason == Some(rule)).count()
    }
}
