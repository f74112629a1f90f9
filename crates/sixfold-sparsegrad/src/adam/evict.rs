//! What a table forgets, and what it takes.

use crate::adam::powers::Decays;
use crate::adam::slots::{self, Slots};
use crate::adam::table::EntryTable;
use crate::{Result, top_k};

impl EntryTable {
    /// Brings the table down to the cap: the entries of the mask stay, and of the others those of the largest
    /// first moment, as it would be today.
    pub(super) fn forget(&mut self, touched: &Slots, step: u32) -> Result<()> {
        let Slots::At(touched) = touched else { return Ok(()) };
        let oldest = self.ages.iter().copied().min().unwrap_or(step);
        let decays = Decays::new(&self.config, step.saturating_sub(oldest));
        let mut others = Vec::with_capacity(self.indices.len() - touched.len());
        let mut moments = Vec::with_capacity(others.capacity());
        let mut next = touched.iter().peekable();
        for (slot, m) in self.first.iter().enumerate() {
            if next.next_if(|place| **place as usize == slot).is_none() {
                let missed = self.ages.get(slot).map_or(0, |age| step - age);
                others.push(slot as u32);
                let today = m * decays.of(missed)[0];
                moments.push(if today.is_finite() { today } else { f32::MAX });
            }
        }
        let kept = top_k(&moments, self.cap - touched.len())?;
        // Two ascending lists that share nothing.
        let mut places = Vec::with_capacity(self.cap);
        let mut next = touched.iter().peekable();
        for slot in kept.into_iter().map(|i| others[i as usize]) {
            while let Some(place) = next.next_if(|place| **place < slot) {
                places.push(*place);
            }
            places.push(slot);
        }
        places.extend(next);
        self.keep(&places);
        Ok(())
    }

    /// Forgets all entries that are not in an ascending list, after a refresh of a static mask say.
    pub fn retain(&mut self, indices: &[u32]) {
        let mut at = 0;
        let mut places = Vec::new();
        for (slot, index) in self.indices.iter().enumerate() {
            at += indices[at..].partition_point(|other| other < index);
            if indices.get(at) == Some(index) {
                places.push(slot as u32);
            }
        }
        self.keep(&places);
        self.indices.shrink_to_fit();
        self.first.shrink_to_fit();
        self.second.shrink_to_fit();
        self.counts.shrink_to_fit();
        self.ages.shrink_to_fit();
    }

    fn keep(&mut self, places: &[u32]) {
        slots::keep(&mut self.indices, places);
        slots::keep(&mut self.first, places);
        slots::keep(&mut self.second, places);
        slots::keep(&mut self.counts, places);
        slots::keep(&mut self.ages, places);
    }

    /// The entries that have a state, ascending.
    pub fn indices(&self) -> &[u32] {
        &self.indices
    }

    /// Entries that have a state.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Whether none has.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// The most entries that are remembered.
    pub fn cap(&self) -> usize {
        self.cap
    }

    /// Bytes that the state takes in memory, room for entries to come included.
    ///
    /// Eight to twenty for each entry: its index and moments, and a count, an age or both where the options
    /// ask for them. Room is made exactly, so that there is more than that only after entries were forgotten.
    pub fn bytes(&self) -> usize {
        4 * (self.indices.capacity()
            + self.first.capacity()
            + self.second.capacity()
            + self.counts.capacity()
            + self.ages.capacity())
    }
}
