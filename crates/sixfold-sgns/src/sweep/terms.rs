//! What an objective consists of.

/// The terms of an objective: b_i·q_j for all pairs, and the counts of some.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms<'a> {
    pub(crate) b: &'a [f32],
    pub(crate) q: &'a [f32],
    pub(crate) positives: Positives<'a>,
}

/// Counts of pairs, compressed by rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Positives<'a> {
    /// Nothing at all for no pairs.
    pub(crate) offsets: &'a [usize],
    pub(crate) columns: &'a [u32],
    pub(crate) counts: &'a [f32],
}

impl<'a> Positives<'a> {
    pub(crate) const NONE: Self = Self { offsets: &[], columns: &[], counts: &[] };

    /// Columns and counts of a row.
    pub(crate) fn row(&self, i: usize) -> (&'a [u32], &'a [f32]) {
        match self.offsets {
            [] => (&[], &[]),
            offsets => {
                let range = offsets[i]..offsets[i + 1];
                (&self.columns[range.clone()], &self.counts[range])
            }
        }
    }
}
