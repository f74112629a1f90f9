//! Triggers on examples, with the true victim.

use std::collections::HashSet;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::clean::{Clean, argmax, ask, log_probability};
use super::ledger::{Account, Ledger};
use super::rate::Rate;
use super::sets::Set;
use crate::{Example, Forwards, Result, Victim};

/// Examples with their places for a trigger and their clean classes, and the victim.
pub(super) struct Verifier<'a, V: ?Sized> {
    pub(super) victim: &'a V,
    pub(super) examples: &'a [Example],
    pub(super) seats: &'a [usize],
    pub(super) clean: &'a Clean,
    pub(super) positions: usize,
}

/// Rates that are known: by trigger and set of examples.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Cache(FxHashMap<(Vec<u32>, u64), Rate>);

/// One of them in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cached {
    trigger: Vec<u32>,
    set: u64,
    fooled: u64,
    examples: u64,
    drop: i64,
}

impl Cache {
    /// Forgets all but the rates on these sets, which will be asked for again.
    pub(super) fn retain(&mut self, sets: &[u64]) {
        self.0.retain(|(_, set), _| sets.contains(set));
    }

    /// In an order of their own, whatever that of the map.
    pub(super) fn to_list(&self) -> Vec<Cached> {
        let list = self.0.iter().map(|((trigger, set), rate)| Cached {
            trigger: trigger.clone(),
            set: *set,
            fooled: rate.fooled,
            examples: rate.examples,
            drop: rate.drop,
        });
        let mut list: Vec<_> = list.collect();
        list.sort_unstable();
        list
    }

    pub(super) fn from_list(list: Vec<Cached>) -> Self {
        let rate = |c: &Cached| Rate { fooled: c.fooled, examples: c.examples, drop: c.drop };
        Self(list.into_iter().map(|c| ((c.trigger.clone(), c.set), rate(&c))).collect())
    }
}

impl<V: Victim + ?Sized> Verifier<'_, V> {
    /// The rates of triggers on one set, in their order. Those that are not cached go to the victim together.
    pub(super) fn rates(
        &self,
        triggers: &[&[u32]],
        set: &Set,
        cache: &mut Cache,
        ledger: &mut Ledger,
        account: Account,
    ) -> Result<Vec<Rate>> {
        let mut seen = HashSet::new();
        let unknown: Vec<&[u32]> = triggers
            .iter()
            .copied()
            .filter(|ids| !cache.0.contains_key(&(ids.to_vec(), set.key)) && seen.insert(*ids))
            .collect();
        let mut found = vec![Rate::default(); unknown.len()];
        let mut asked = unknown
            .iter()
            .enumerate()
            .flat_map(|(trigger, _)| set.indices.iter().map(move |example| (trigger, *example)));
        let sequences = unknown.iter().flat_map(|ids| self.sequences(ids, set));
        ask(self.victim, sequences, self.positions, |scores| {
            // As many answers come as were asked for.
            let Some((trigger, example)) = asked.next() else { return };
            let class = self.clean.classes[example];
            let drop = self.clean.log_probabilities[example] - log_probability(scores, class);
            found[trigger].add(argmax(scores) != class, drop);
        })?;
        ledger.charge(account, Forwards((unknown.len() * set.len()) as f64));
        for (ids, rate) in unknown.iter().zip(found) {
            cache.0.insert((ids.to_vec(), set.key), rate);
        }
        Ok(triggers.iter().map(|ids| cache.0[&(ids.to_vec(), set.key)]).collect())
    }

    /// The rate of a trigger on all examples and the class of each.
    pub(super) fn classes(
        &self,
        trigger: &[u32],
        ledger: &mut Ledger,
    ) -> Result<(Rate, Vec<usize>)> {
        let all = Set::new((0..self.examples.len()).collect());
        let mut rate = Rate::default();
        let mut classes = Vec::with_capacity(all.len());
        ask(self.victim, self.sequences(trigger, &all), self.positions, |scores| {
            let example = classes.len();
            let class = self.clean.classes[example];
            let drop = self.clean.log_probabilities[example] - log_probability(scores, class);
            classes.push(argmax(scores));
            rate.add(classes[example] != class, drop);
        })?;
        ledger.charge(Account::Full, Forwards(all.len() as f64));
        Ok((rate, classes))
    }

    fn sequences(&self, ids: &[u32], set: &Set) -> impl Iterator<Item = crate::Sequence> {
        set.indices.iter().map(|i| self.examples[*i].with_trigger(ids, self.seats[*i]))
    }
}
