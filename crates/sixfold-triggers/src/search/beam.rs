//! From left to right: the tokens of one place after the other, tried on the batch.

use std::collections::HashSet;

use super::ledger::{Account, Ledger};
use super::policy::{Entry, Incumbent, Policy, Standing};
use super::rate::Rate;
use super::sets::Batch;
use super::verify::{Cache, Verifier};
use crate::filter::RoundTrip;
use crate::{Result, Victim};

/// What a search of one batch found.
pub(super) struct Found {
    pub(super) best: Entry,
    /// What the trigger before does to the batch, where it was tried.
    pub(super) incumbent: Option<Rate>,
    /// The best trigger after each place.
    pub(super) path: Vec<Vec<u32>>,
}

/// The beam over one batch.
pub(super) struct Beam<'a, V: ?Sized> {
    pub(super) verifier: &'a Verifier<'a, V>,
    pub(super) policy: &'a Policy,
    pub(super) width: usize,
    pub(super) batch: &'a Batch,
    pub(super) round_trip: Option<RoundTrip<'a>>,
    pub(super) cache: &'a mut Cache,
    pub(super) ledger: &'a mut Ledger,
}

impl<V: Victim + ?Sized> Beam<'_, V> {
    /// Tries `candidates[place]` at each place, best score first. `carried` is what the trigger before brings along
    /// where the policy does not try it.
    pub(super) fn run(
        &mut self,
        trigger: &[u32],
        candidates: &[Vec<u32>],
        carried: f64,
    ) -> Result<Found> {
        let start = match self.policy.incumbent {
            Incumbent::Measured => Standing::Measured(self.on_batch(trigger)?),
            Incumbent::Absent | Incumbent::Carried => Standing::Carried(carried),
        };
        let incumbent = start.rate();
        let mut beam = vec![Entry { ids: trigger.to_vec(), standing: start }];
        let mut path = Vec::with_capacity(candidates.len());
        for (place, tokens) in candidates.iter().enumerate() {
            let keeps = place > 0 || self.policy.incumbent != Incumbent::Absent;
            beam = self.place(beam, place, tokens, keeps)?;
            path.push(beam[0].ids.clone());
        }
        let best = beam.swap_remove(0);
        Ok(Found { best, incumbent, path })
    }

    /// The best of a beam and of what it becomes with other tokens at one place.
    fn place(
        &mut self,
        beam: Vec<Entry>,
        place: usize,
        tokens: &[u32],
        keeps: bool,
    ) -> Result<Vec<Entry>> {
        // Each trigger of the beam, then those that come of it: the order in which equal ones win.
        let mut pool: Vec<Entry> = Vec::new();
        let mut seen: HashSet<Vec<u32>> = HashSet::new();
        if keeps {
            seen.extend(beam.iter().map(|entry| entry.ids.clone()));
        }
        for entry in &beam {
            pool.extend(keeps.then(|| entry.clone()));
            for token in tokens {
                let mut ids = entry.ids.clone();
                ids[place] = *token;
                let is_new = !self.policy.distinct || seen.insert(ids.clone());
                if is_new && self.round_trip.is_none_or(|reproduces| reproduces(&ids)) {
                    pool.push(Entry { ids, standing: Standing::Untried });
                }
            }
        }
        if pool.is_empty() {
            // No candidate may stand here: there is nothing else to go on with.
            let untried = |entry: Entry| Entry { standing: Standing::Untried, ..entry };
            pool.extend(beam.into_iter().map(untried));
        }
        self.race(&mut pool)?;
        pool.sort_by(|a, b| self.policy.compare(a, b));
        pool.truncate(self.width);
        Ok(pool)
    }

    /// Tries what is untried on stage after stage and takes out what drops out.
    fn race(&mut self, pool: &mut Vec<Entry>) -> Result<()> {
        let untried = |i: &usize| pool[*i].standing == Standing::Untried;
        let mut left: Vec<usize> = (0..pool.len()).filter(untried).collect();
        let mut out = vec![false; pool.len()];
        for (stage, set) in self.batch.stages.iter().enumerate() {
            let triggers: Vec<&[u32]> = left.iter().map(|i| &pool[*i].ids[..]).collect();
            let rates =
                self.verifier.rates(&triggers, set, self.cache, self.ledger, Account::Verify)?;
            for (i, rate) in left.iter().zip(rates) {
                let before = pool[*i].standing.rate().unwrap_or_default();
                pool[*i].standing = Standing::Measured(before.with(rate));
            }
            if stage + 1 < self.batch.stages.len() {
                left.sort_by(|a, b| self.policy.compare(&pool[*a], &pool[*b]));
                let keep = self.policy.keep[stage].min(left.len());
                left.drain(keep..).for_each(|i| out[i] = true);
                left.sort_unstable();
            }
        }
        let mut out = out.into_iter();
        pool.retain(|_| !out.next().unwrap_or_default());
        Ok(())
    }

    fn on_batch(&mut self, trigger: &[u32]) -> Result<Rate> {
        let mut sum = Rate::default();
        for set in &self.batch.stages {
            let rates =
                self.verifier.rates(&[trigger], set, self.cache, self.ledger, Account::Verify)?;
            sum = rates.into_iter().fold(sum, Rate::with);
        }
        Ok(sum)
    }
}
