//! The keys of a search that all three experiments share.

use serde::{Deserialize, Serialize};
use sixfold_triggers::filter::{AssociationConfig, Words};
use sixfold_triggers::{FilterConfig, Forwards, RacingConfig, SearchConfig};

use super::methods::Method;
use crate::config::Problem;

/// How triggers are searched for, under one budget for all methods.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SearchKeys {
    /// Examples of the slice that a search sees, without their labels.
    pub examples: usize,
    /// Tokens that are tried at each place.
    pub top_k: usize,
    /// Triggers that are kept from place to place.
    pub beam: usize,
    /// Examples of an update.
    pub batch: usize,
    /// Updates at most; the budget ends a search before.
    pub updates: usize,
    /// Updates without a better trigger that are borne. Large, so that no method leaves its budget unspent.
    pub patience: usize,
    /// Fixed examples on which the best of a search is chosen.
    pub monitor: usize,
    /// Whether candidates that fool few of the first examples drop out.
    pub racing: bool,
    /// Whether to follow the published code instead, slips included.
    pub paper_compat: bool,
}

/// What all searches of a run share.
#[derive(Clone, Copy)]
pub(super) struct Rules<'a> {
    pub(super) length: usize,
    pub(super) budget: f64,
    pub(super) search: &'a SearchKeys,
    pub(super) filter: &'a FilterKeys,
}

/// Which tokens a trigger may have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FilterKeys {
    /// Letters, digits and `_` alone, as the published code has it.
    pub paper: bool,
    /// Whole words, beginnings of words, or any pieces.
    pub words: WholeWords,
    /// Whether tokens that go with one of the victim's classes are left out. Its own answers tell, no labels.
    pub association: bool,
    /// Log-odds above which a token goes with a class.
    pub threshold: f64,
    /// Occurrences below which nobody can tell, so that a token is left out as well.
    pub min_count: u64,
    /// Whether only triggers remain that are the same tokens again when they are typed as text.
    pub round_trip: bool,
    /// Words that are left out.
    pub exclude: Vec<String>,
}

/// Which tokens of words remain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WholeWords {
    /// All pieces.
    Any,
    /// Those that begin a word.
    Begin,
    /// Whole words in lower case.
    #[default]
    Whole,
}

impl Default for SearchKeys {
    fn default() -> Self {
        Self {
            examples: 1024,
            top_k: 10,
            beam: 1,
            batch: 128,
            updates: 1000,
            patience: 1000,
            monitor: 256,
            racing: true,
            paper_compat: false,
        }
    }
}

impl Default for FilterKeys {
    fn default() -> Self {
        Self {
            paper: true,
            words: WholeWords::Whole,
            association: true,
            threshold: 0.5,
            min_count: 20,
            round_trip: false,
            exclude: Vec::new(),
        }
    }
}

impl FilterKeys {
    /// The filter of the triggers crate.
    pub(super) fn filter(&self) -> FilterConfig {
        FilterConfig {
            paper: self.paper,
            words: match self.words {
                WholeWords::Any => Words::Any,
                WholeWords::Begin => Words::Begin,
                WholeWords::Whole => Words::Whole,
            },
            round_trip: self.round_trip,
            exclude: self.exclude.clone(),
            association: self.association.then(|| AssociationConfig {
                threshold: self.threshold,
                min_count: self.min_count,
                ..AssociationConfig::default()
            }),
            ..FilterConfig::default()
        }
    }

    /// The rules in words.
    pub(super) fn said(&self) -> String {
        let mut rules = Vec::new();
        if self.paper {
            rules.push("letters and digits".to_owned());
        }
        match self.words {
            WholeWords::Any => {}
            WholeWords::Begin => rules.push("beginnings of words".to_owned()),
            WholeWords::Whole => rules.push("whole words".to_owned()),
        }
        if self.association {
            let (most, least) = (self.threshold, self.min_count);
            rules
                .push(format!("no class association (|log-odds| ≤ {most}, {least} times or more)"));
        }
        if self.round_trip {
            rules.push("the same tokens when typed".to_owned());
        }
        if !self.exclude.is_empty() {
            rules.push(format!("{} words left out", self.exclude.len()));
        }
        if rules.is_empty() { "all that is no special token".to_owned() } else { rules.join(", ") }
    }
}

impl SearchKeys {
    /// The search of the triggers crate.
    pub(super) fn search(
        &self,
        length: usize,
        budget: f64,
        seed: u64,
        init: Vec<u32>,
    ) -> SearchConfig {
        SearchConfig {
            length,
            top_k: self.top_k,
            beam: self.beam,
            batch: self.batch,
            updates: self.updates,
            patience: self.patience,
            monitor: self.monitor,
            racing: self.racing.then(|| racing(self.batch, self.top_k, self.beam)),
            budget: Some(Forwards(budget)),
            seed,
            init,
            paper_compat: self.paper_compat,
            ..SearchConfig::default()
        }
    }
}

/// Two fifths of the candidates go on after a quarter of the batch, a fifth after half of it: 32, 64 of 128 and 4, 2
/// of 10.
fn racing(batch: usize, top_k: usize, beam: usize) -> RacingConfig {
    let stages = [(batch / 4, 2 * top_k / 5), (batch / 2, top_k / 5)];
    let mut found = RacingConfig { examples: Vec::new(), keep: Vec::new() };
    for (examples, keep) in stages {
        let keep = keep.max(beam).max(1);
        if examples > 0 && found.keep.last().is_none_or(|last| keep < *last) {
            found.examples.push(examples);
            found.keep.push(keep);
        }
    }
    found
}

/// What is wrong with the keys of a search.
pub(super) fn problems(
    methods: &[Method],
    q: &[f64],
    layers: &[usize],
    rules: Rules<'_>,
) -> Vec<Problem> {
    let Rules { length, budget, search, filter } = rules;
    let mut problems = Vec::new();
    let mut require = |holds: bool, key: &str, message: String| {
        if !holds {
            problems.push(Problem::new(key, message));
        }
    };
    require(
        !methods.is_empty(),
        "methods",
        "is empty; there are luat, uat and controls".to_owned(),
    );
    for (index, method) in methods.iter().enumerate() {
        let twice = methods[..index].contains(method);
        require(!twice, "methods", format!("`{method}` stands twice"));
    }
    let layerwise = methods.contains(&Method::Luat);
    require(!q.is_empty() || !layerwise, "q", "is empty, but luat needs one".to_owned());
    for (index, one) in q.iter().enumerate() {
        let fits = one.is_finite() && *one >= 1.0;
        require(fits, "q", format!("{one}, expected a number of at least 1"));
        require(!q[..index].contains(one), "q", format!("{one} stands twice"));
    }
    for (index, layer) in layers.iter().enumerate() {
        let twice = layers[..index].contains(layer);
        require(!twice, "layers", format!("{layer} stands twice"));
    }
    require((1..=8).contains(&length), "length", format!("is {length}, expected 1 to 8"));
    require(
        budget.is_finite() && budget > 0.0,
        "budget",
        format!("{budget}, expected example-forwards above 0"),
    );
    require(search.examples >= 2, "search.examples", "is below 2".to_owned());
    if (1..=8).contains(&length) && budget.is_finite() && budget > 0.0 {
        let config = search.search(length, budget, 0, Vec::new());
        if let Err(sixfold_triggers::Error::Config { problems: found }) = config.validate() {
            problems.extend(found.into_iter().map(|one| Problem::new("search", one)));
        }
    }
    if let Err(sixfold_triggers::Error::Config { problems: found }) = filter.filter().validate() {
        problems.extend(found.into_iter().map(|one| Problem::new("filter", one)));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn racing_has_the_shares_of_the_default() {
        assert_eq!(racing(128, 10, 1), RacingConfig::default());
        assert_eq!(racing(2, 3, 1).keep, [1]);
        let config = SearchKeys::default().search(3, 1e4, 0, Vec::new());
        config.validate().unwrap();
    }

    #[test]
    fn rules_are_named() {
        let keys =
            FilterKeys { association: false, words: WholeWords::Any, ..FilterKeys::default() };
        assert_eq!(keys.said(), "letters and digits");
        assert!(FilterKeys::default().said().contains("|log-odds| ≤ 0.5"));
    }
}
