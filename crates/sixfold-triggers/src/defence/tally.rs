//! Counting votes.

/// Votes as they come in, most trusted first.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    counts: Vec<usize>,
    cast: Vec<usize>,
    total: usize,
}

impl Tally {
    pub(super) fn new(n_classes: usize, total: usize) -> Self {
        Self { counts: vec![0; n_classes], cast: Vec::with_capacity(total), total }
    }

    pub(super) fn add(&mut self, class: usize) {
        self.counts[class] += 1;
        self.cast.push(class);
    }

    pub(super) fn cast(&self) -> usize {
        self.cast.len()
    }

    /// The class with the most votes. Of equally many, the one that was voted for first.
    fn leader(&self) -> Option<usize> {
        let most = self.counts.iter().copied().max()?;
        self.cast.iter().copied().find(|&class| self.counts[class] == most)
    }

    /// How far the leader is ahead of the next.
    fn lead(&self, leader: usize) -> usize {
        let others = self.counts.iter().enumerate().filter(|(class, _)| *class != leader);
        self.counts[leader] - others.map(|(_, &count)| count).max().unwrap_or(0)
    }

    /// The class that wins whatever the votes to come, and its votes so far.
    pub(super) fn decided(&self) -> Option<(usize, usize)> {
        let leader = self.leader()?;
        let left = self.total - self.cast();
        (left == 0 || self.lead(leader) > left).then(|| (leader, self.counts[leader]))
    }

    /// The fewest further votes that can decide; at least one while votes are left.
    pub(super) fn wanted(&self) -> usize {
        let left = self.total - self.cast();
        let lead = self.leader().map_or(0, |leader| self.lead(leader));
        (left.saturating_sub(lead) / 2 + 1).min(left)
    }
}
