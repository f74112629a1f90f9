//! Update after update.

use std::ops::ControlFlow;

use super::beam::{Beam, Found};
use super::config::SearchConfig;
use super::ledger::Account;
use super::outcome::{SearchOutcome, Stop, Trigger};
use super::policy::{Incumbent, Watch};
use super::rate::Rate;
use super::sets::{Batch, batch};
use super::setup::Search;
use super::state::{Best, SearchState, Update};
use super::streams::{Use, stream};
use crate::score::Query;
use crate::score::rank::top_tokens;
use crate::{Error, Example, Forwards, Result, Scorer, Victim};

impl<V: Victim + ?Sized> Search<'_, V> {
    /// Searches on from `state` until the updates, the patience or the budget are at their end, then tries the best
    /// trigger on all examples.
    ///
    /// `observe` sees the state after every update and may stop the search there; the state can be saved and taken up
    /// again. A state that has come to its end gives the same outcome again.
    ///
    /// # Errors
    /// [`Error::Stopped`] if `observe` asked for it. [`Error::Mismatch`] for a state or a scorer of another search, or
    /// scores of another shape; [`Error::NotFinite`] for the score of an allowed token or of the victim;
    /// [`Error::Config`] for a budget that covers no update; what the scorer and the victim refuse.
    ///
    /// # Complexity
    /// Of an update, in example-forwards, with racing at 32, 64 and 128 examples and 10, 5 and 3 candidates:
    /// 672 a place, 128 for the trigger before, the scorer's cost, and 256 where the batch is fooled more.
    pub fn run<S: Scorer + ?Sized>(
        &self,
        state: &mut SearchState,
        scorer: &mut S,
        mut observe: impl FnMut(&SearchState) -> ControlFlow<()>,
    ) -> Result<SearchOutcome> {
        self.fingerprint().check(&state.fingerprint)?;
        let scored_by = scorer.describe();
        match &state.scorer {
            Some(scorer) if *scorer != scored_by => {
                return Err(Error::Mismatch {
                    what: "the scorer of this search",
                    expected: scorer.clone(),
                    found: scored_by,
                });
            }
            _ => state.scorer = Some(scored_by.clone()),
        }
        let stop = loop {
            if let Some(stop) = self.stop(state, scorer)? {
                break stop;
            }
            // What fails half-way leaves the state as it was, costs included.
            let mut next = state.clone();
            self.watch_first(&mut next)?;
            let update = self.update(&mut next, scorer)?;
            *state = next;
            tracing::debug!(update = update.update, trigger = ?update.trigger, "searched");
            state.history.push(update);
            state.updates += 1;
            if observe(state).is_break() {
                return Err(Error::Stopped { updates: state.updates });
            }
        };
        let Some(best) = state.best.clone() else {
            return Err(Error::Empty { what: "update was done" });
        };
        let mut ledger = state.ledger;
        let (rate, classes) = self.verifier().classes(&best.trigger, &mut ledger)?;
        Ok(SearchOutcome {
            scorer: scored_by,
            trigger: Trigger::new(best.trigger.clone()),
            rate,
            classes,
            best,
            history: state.history.clone(),
            ledger,
            stop,
        })
    }

    /// Whether there is no further update, and why.
    fn stop<S: Scorer + ?Sized>(&self, state: &SearchState, scorer: &S) -> Result<Option<Stop>> {
        if state.updates >= self.config.updates {
            return Ok(Some(Stop::Updates));
        }
        if state.stale > self.config.patience {
            return Ok(Some(Stop::Patience));
        }
        let Some(Forwards(budget)) = self.config.budget else { return Ok(None) };
        // The trigger that comes out is tried on all examples, whatever it was chosen on.
        let needed = self.update_cost(state, scorer).0 + self.all.len() as f64;
        let Forwards(spent) = state.ledger.spent();
        if spent + needed <= budget {
            return Ok(None);
        }
        if state.updates > 0 {
            return Ok(Some(Stop::Budget));
        }
        let problem = format!("budget is {budget}, expected at least {needed} for one update");
        Err(Error::Config { problems: vec![problem] })
    }

    /// What the next update costs at most.
    fn update_cost<S: Scorer + ?Sized>(&self, state: &SearchState, scorer: &S) -> Forwards {
        let batch = self.batch(state.updates);
        let stages: Vec<usize> = batch.stages.iter().map(|stage| stage.len()).collect();
        let tokens = self.config.top_k.min(self.allowed.iter().filter(|allowed| **allowed).count());
        let mut verify = 0;
        let mut beam = 1;
        for _ in 0..self.config.length {
            verify += self.policy.race_cost(beam * tokens, &stages);
            beam = self.config.beam;
        }
        if self.policy.incumbent == Incumbent::Measured {
            verify += batch.indices.len();
        }
        let watch = match (self.policy.watch, state.started) {
            (Watch::Improvements, true) => self.monitor.len(),
            (Watch::Improvements, false) => 2 * self.monitor.len(),
            (Watch::Everything, _) => self.all.len(),
        };
        Forwards(scorer.cost(batch.indices.len()).0 + (verify + watch) as f64)
    }

    fn batch(&self, update: usize) -> Batch {
        let SearchConfig { seed, batch: size, .. } = self.config;
        batch(seed, update, self.examples.len(), size, &self.policy.cuts)
    }

    /// The trigger to begin with counts where winners are compared with it.
    fn watch_first(&self, state: &mut SearchState) -> Result<()> {
        if !state.started && self.policy.watch == Watch::Improvements {
            let rate = self.watched(state, &self.init)?;
            state.best = Some(Best { trigger: self.init.clone(), rate });
        }
        state.started = true;
        Ok(())
    }

    /// The rate on the examples on which the best is chosen.
    fn watched(&self, state: &mut SearchState, trigger: &[u32]) -> Result<Rate> {
        let (set, account) = match self.policy.watch {
            Watch::Improvements => (&self.monitor, Account::Monitor),
            Watch::Everything => (&self.all, Account::Full),
        };
        let (cache, ledger) = (&mut state.cache, &mut state.ledger);
        let rates = self.verifier().rates(&[trigger], set, cache, ledger, account)?;
        Ok(rates.into_iter().fold(Rate::default(), Rate::with))
    }

    fn update<S: Scorer + ?Sized>(
        &self,
        state: &mut SearchState,
        scorer: &mut S,
    ) -> Result<Update> {
        let batch = self.batch(state.updates);
        let candidates = self.candidates(state, scorer, &batch)?;
        let before = state.history.last().and_then(|update| update.watched);
        let carried = before.map_or(f64::INFINITY, |rate| 1.0 - rate.share());
        let verifier = self.verifier();
        let mut beam = Beam {
            verifier: &verifier,
            policy: &self.policy,
            width: self.config.beam,
            batch: &batch,
            round_trip: self.round_trip,
            cache: &mut state.cache,
            ledger: &mut state.ledger,
        };
        let Found { best, incumbent, path } = beam.run(&state.trigger, &candidates, carried)?;
        let rate = best.standing.rate();
        let is_watched = match self.policy.watch {
            Watch::Everything => true,
            Watch::Improvements => gains(rate, incumbent) && best.ids != state.trigger,
        };
        let watched = if is_watched { Some(self.watched(state, &best.ids)?) } else { None };
        let improved = watched.is_some_and(|rate| {
            state.best.as_ref().is_none_or(|best| rate.fooled > best.rate.fooled)
        });
        if let (true, Some(rate)) = (improved, watched) {
            state.best = Some(Best { trigger: best.ids.clone(), rate });
        }
        state.stale = if improved { 0 } else { state.stale + 1 };
        state.trigger = best.ids;
        // Batches change; these sets come again.
        state.cache.retain(&[self.monitor.key, self.all.key]);
        Ok(Update {
            update: state.updates,
            trigger: state.trigger.clone(),
            candidates,
            path,
            incumbent,
            batch: rate,
            watched,
            improved,
            ledger: state.ledger,
        })
    }

    /// The tokens to try at each place, best score first.
    fn candidates<S: Scorer + ?Sized>(
        &self,
        state: &mut SearchState,
        scorer: &mut S,
        batch: &Batch,
    ) -> Result<Vec<Vec<u32>>> {
        let examples: Vec<&Example> = batch.indices.iter().map(|i| &self.examples[*i]).collect();
        let seats: Vec<usize> = batch.indices.iter().map(|i| self.seats[*i]).collect();
        let clean: Vec<usize> = batch.indices.iter().map(|i| self.clean.classes[*i]).collect();
        let query = Query {
            examples: &examples,
            seats: &seats,
            clean: &clean,
            trigger: &state.trigger,
            allowed: &self.allowed,
        };
        let mut rng = stream(self.config.seed, Use::Score, state.updates);
        let scores = scorer.score(query, &mut rng)?;
        let expected = [self.config.length, self.allowed.len()];
        if scores.values.shape() != expected {
            return Err(Error::Mismatch {
                what: "the shape of the scores",
                expected: format!("{expected:?}"),
                found: format!("{:?}", scores.values.shape()),
            });
        }
        let Forwards(at_most) = scorer.cost(batch.indices.len());
        // A budget is only kept if scorers keep their word.
        if scores.cost.0 > at_most + 1e-6 {
            return Err(Error::Mismatch {
                what: "the cost of the scores",
                expected: format!("at most {at_most}"),
                found: scores.cost.0.to_string(),
            });
        }
        state.ledger.charge(Account::Score, scores.cost);
        top_tokens(scores.values.view(), &self.allowed, self.config.top_k)
    }
}

/// Whether more of the batch is fooled than before; true where nothing is known of before.
fn gains(rate: Option<Rate>, before: Option<Rate>) -> bool {
    match (rate, before) {
        (Some(rate), Some(before)) => rate.fooled > before.fooled,
        _ => true,
    }
}
