//! What a search is made of.

use std::fmt;

use super::clean::Clean;
use super::config::SearchConfig;
use super::fingerprint::fingerprint;
use super::policy::Policy;
use super::sets::{Set, monitor};
use super::state::{Fingerprint, SearchState};
use super::verify::{Cache, Verifier};
use crate::filter::RoundTrip;
use crate::search::{Account, Ledger};
use crate::{Error, Example, Result, Victim};

/// A search for a trigger against one victim, with one's own unlabelled examples.
///
/// Each update draws a batch, asks a [`Scorer`](crate::Scorer) which tokens to try at each place, and tries them from
/// left to right with the true victim. The objective is the share of examples whose class differs from the one
/// without a trigger; ties go to the trigger that takes more of the log-probability of the clean class, then to the
/// one of lower ids. No gold label is needed.
///
/// Winners of their batch that fool more of it than the trigger before are compared on fixed examples; the best of
/// these is what the search gives back, with its rate on all examples.
///
/// ```
/// use std::ops::ControlFlow;
/// use ndarray::Array2;
/// use sixfold_triggers::{Example, RandomControl, Result, Search, SearchConfig, Sequence, Victim};
///
/// /// Class 1 where token 3 is present.
/// struct Toy;
/// impl Victim for Toy {
///     fn n_classes(&self) -> usize { 2 }
///     fn vocab_size(&self) -> usize { 5 }
///     fn max_tokens(&self) -> Option<usize> { None }
///     fn scores(&self, sequences: &[Sequence]) -> Result<Array2<f32>> {
///         Ok(Array2::from_shape_fn((sequences.len(), 2), |(i, class)| {
///             let found = sequences[i].ids.contains(&3);
///             f32::from(u8::from(found == (class == 1)))
///         }))
///     }
/// }
///
/// let text = Sequence { ids: vec![0, 1, 2], token_types: vec![0; 3] };
/// let examples = vec![Example::new(text, vec![1..3])?; 8];
/// let config = SearchConfig { length: 1, init: vec![4], ..SearchConfig::default() };
/// let search = Search::new(config, &examples, vec![true; 5], &Toy)?;
/// let mut state = search.start();
/// let outcome = search.run(&mut state, &mut RandomControl, |_| ControlFlow::Continue(()))?;
/// assert_eq!((outcome.trigger.ids, outcome.rate.share()), (vec![3], 1.0));
/// # Ok::<(), sixfold_triggers::Error>(())
/// ```
pub struct Search<'a, V: ?Sized> {
    pub(super) config: SearchConfig,
    pub(super) policy: Policy,
    pub(super) examples: &'a [Example],
    pub(super) seats: Vec<usize>,
    pub(super) clean: Clean,
    pub(super) allowed: Vec<bool>,
    pub(super) init: Vec<u32>,
    pub(super) monitor: Set,
    pub(super) all: Set,
    pub(super) victim: &'a V,
    pub(super) round_trip: Option<RoundTrip<'a>>,
    fingerprint: Fingerprint,
}

impl<V: ?Sized> fmt::Debug for Search<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { config, fingerprint, .. } = self;
        let mut shown = f.debug_struct("Search");
        shown.field("config", config).field("fingerprint", fingerprint).finish_non_exhaustive()
    }
}

impl<'a, V: Victim + ?Sized> Search<'a, V> {
    /// A search that asks the victim for its classes without a trigger first.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Empty`] without examples, [`Error::TooLong`] for an example that leaves no room,
    /// [`Error::Mismatch`] for one without the field of the trigger, for flags that are not as many as the victim's
    /// tokens and for a first trigger outside of them, [`Error::EmptyVocabulary`]; what the victim refuses.
    pub fn new(
        config: SearchConfig,
        examples: &'a [Example],
        allowed: Vec<bool>,
        victim: &'a V,
    ) -> Result<Self> {
        // What is wrong with the rest should be known before the victim works.
        check(&config, examples, &allowed, victim)?;
        let clean = Clean::of(victim, examples, config.positions)?;
        Self::with_clean(config, examples, clean, allowed, victim)
    }

    /// A search whose clean classes are known already.
    ///
    /// # Errors
    /// Those of [`new`](Self::new); [`Error::Label`] for a class that the victim does not have.
    pub fn with_clean(
        config: SearchConfig,
        examples: &'a [Example],
        clean: Clean,
        allowed: Vec<bool>,
        victim: &'a V,
    ) -> Result<Self> {
        let seats = check(&config, examples, &allowed, victim)?;
        check_clean(&clean, examples.len(), victim.n_classes())?;
        let lowest = allowed.iter().position(|allowed| *allowed).unwrap_or_default() as u32;
        let init = match config.init[..] {
            [] => vec![lowest; config.length],
            [token] => vec![token; config.length],
            _ => config.init.clone(),
        };
        Ok(Self {
            policy: Policy::of(&config),
            fingerprint: fingerprint(&config, examples, &seats, &clean, &allowed),
            monitor: monitor(config.seed, examples.len(), config.monitor),
            all: Set::new((0..examples.len()).collect()),
            config,
            examples,
            seats,
            clean,
            allowed,
            init,
            victim,
            round_trip: None,
        })
    }

    /// The same search among those triggers alone that are the same tokens again when they are decoded and encoded:
    /// tokens that come back one by one need not do so side by side. The first trigger is not asked.
    ///
    /// A state does not know of it: go on with the same.
    #[must_use]
    pub fn with_round_trip(self, reproduces: RoundTrip<'a>) -> Self {
        Self { round_trip: Some(reproduces), ..self }
    }

    /// The state before the first update.
    pub fn start(&self) -> SearchState {
        let mut ledger = Ledger::default();
        ledger.charge(Account::Clean, self.clean.cost);
        SearchState {
            fingerprint: self.fingerprint.clone(),
            scorer: None,
            started: false,
            updates: 0,
            trigger: self.init.clone(),
            best: None,
            stale: 0,
            ledger,
            history: Vec::new(),
            cache: Cache::default(),
        }
    }

    /// The classes of the examples without a trigger.
    pub fn clean(&self) -> &Clean {
        &self.clean
    }

    /// What a state of this search bears.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    pub(super) fn verifier(&self) -> Verifier<'_, V> {
        Verifier {
            victim: self.victim,
            examples: self.examples,
            seats: &self.seats,
            clean: &self.clean,
            positions: self.config.positions,
        }
    }
}

/// The place of the trigger in each example.
fn check<V: Victim + ?Sized>(
    config: &SearchConfig,
    examples: &[Example],
    allowed: &[bool],
    victim: &V,
) -> Result<Vec<usize>> {
    config.validate()?;
    if examples.is_empty() {
        return Err(Error::Empty { what: "example to search on" });
    }
    let vocab = victim.vocab_size();
    if allowed.len() != vocab {
        return Err(Error::Mismatch {
            what: "the number of flags of allowed tokens",
            expected: vocab.to_string(),
            found: allowed.len().to_string(),
        });
    }
    if !allowed.contains(&true) {
        return Err(Error::EmptyVocabulary { vocabulary: vocab, removed: Vec::new() });
    }
    if let Some(token) = config.init.iter().find(|token| **token as usize >= vocab) {
        return Err(Error::Mismatch {
            what: "a token of the first trigger",
            expected: format!("below {vocab}"),
            found: token.to_string(),
        });
    }
    if let Some(limit) = victim.max_tokens() {
        let tokens = |example: &Example| example.clean().ids.len();
        let long = |example: &Example| tokens(example) + config.length > limit;
        if let Some(example) = examples.iter().position(long) {
            let (tokens, trigger) = (tokens(&examples[example]), config.length);
            return Err(Error::TooLong { example, tokens, trigger, limit });
        }
    }
    examples.iter().map(|example| example.seat(config.field, config.placement)).collect()
}

fn check_clean(clean: &Clean, examples: usize, n_classes: usize) -> Result<()> {
    for found in [clean.classes.len(), clean.log_probabilities.len()] {
        if found != examples {
            return Err(Error::Mismatch {
                what: "the number of clean classes",
                expected: examples.to_string(),
                found: found.to_string(),
            });
        }
    }
    if let Some(index) = clean.log_probabilities.iter().position(|p| !p.is_finite()) {
        return Err(Error::NotFinite { what: "a clean log-probability", index });
    }
    match clean.classes.iter().position(|class| *class >= n_classes) {
        Some(example) => Err(Error::Label { label: clean.classes[example], example, n_classes }),
        None => Ok(()),
    }
}
