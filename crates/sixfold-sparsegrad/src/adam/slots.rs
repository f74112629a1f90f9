//! Merging ascending lists in place.

/// Where the entries of a mask are in a table.
pub(super) enum Slots {
    /// The table holds these and no others.
    Same,
    /// At these places, ascending.
    At(Vec<u32>),
}

impl Slots {
    #[inline(always)]
    pub(super) fn of(&self, entry: usize) -> usize {
        match self {
            Self::Same => entry,
            Self::At(places) => places[entry] as usize,
        }
    }
}

/// An entry that a table lacks.
pub(super) struct New {
    /// Its place in the mask.
    entry: u32,
    /// How many of the old entries come before it.
    before: u32,
}

/// Where each entry of a mask will be once those that lack are merged in, and which these are.
pub(super) fn merged(table: &[u32], mask: &[u32]) -> (Vec<u32>, Vec<New>) {
    let mut places = Vec::with_capacity(mask.len());
    let mut new: Vec<New> = Vec::new();
    let mut at = 0;
    for (entry, index) in mask.iter().enumerate() {
        while table.get(at).is_some_and(|old| old < index) {
            at += 1;
        }
        places.push((at + new.len()) as u32);
        if table.get(at) != Some(index) {
            new.push(New { entry: entry as u32, before: at as u32 });
        }
    }
    (places, new)
}

/// Makes room for the new entries and fills it, from the back, so that no second list is needed.
pub(super) fn spread<T: Copy>(values: &mut Vec<T>, new: &[New], of: impl Fn(usize) -> T) {
    let Some(any) = new.first().map(|new| of(new.entry as usize)) else { return };
    let old = values.len();
    values.reserve_exact(new.len());
    values.resize(old + new.len(), any);
    let mut end = old;
    for (i, new) in new.iter().enumerate().rev() {
        let before = new.before as usize;
        values.copy_within(before..end, before + i + 1);
        values[before + i] = of(new.entry as usize);
        end = before;
    }
}

/// Keeps the values at these places, ascending.
pub(super) fn keep<T: Copy>(values: &mut Vec<T>, places: &[u32]) {
    if values.is_empty() {
        return;
    }
    for (to, from) in places.iter().enumerate() {
        values[to] = values[*from as usize];
    }
    values.truncate(places.len());
}
