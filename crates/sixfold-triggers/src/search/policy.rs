//! Whose search it is: ours or the published code's.

use std::cmp::Ordering;

use super::config::SearchConfig;
use super::rate::Rate;

/// How the present trigger enters the pool of the first place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Incumbent {
    /// With what it does to this batch: it stays unless it is beaten.
    Measured,
    /// Not at all.
    Absent,
    /// With the accuracy of the last evaluation, of which less is better, while candidates come with minus their
    /// fooling rate: a slip of the published code that practically never keeps it.
    Carried,
}

/// Which of two triggers that fool equally many is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ties {
    /// The one that takes more from the clean class, then the one of lower ids.
    Drop,
    /// The one that came first.
    Order,
}

/// Where winners of a batch are compared with earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watch {
    /// On fixed examples, and only if they fool more of the batch than the trigger before; the first trigger counts.
    Improvements,
    /// On all examples after every update; the first trigger does not count.
    Everything,
}

/// All in which the two searches differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) incumbent: Incumbent,
    pub(super) ties: Ties,
    pub(super) watch: Watch,
    /// Whether a trigger enters a pool once, however many ways lead to it.
    pub(super) distinct: bool,
    /// Examples after which candidates drop out, and how many go on.
    pub(super) cuts: Vec<usize>,
    pub(super) keep: Vec<usize>,
}

impl Policy {
    pub(super) fn of(config: &SearchConfig) -> Self {
        if config.paper_compat {
            return Self {
                incumbent: Incumbent::Carried,
                ties: Ties::Order,
                watch: Watch::Everything,
                distinct: false,
                cuts: Vec::new(),
                keep: Vec::new(),
            };
        }
        let incumbent = if config.keep_incumbent { Incumbent::Measured } else { Incumbent::Absent };
        let racing = config.racing.clone();
        let (cuts, keep) = racing.map(|racing| (racing.examples, racing.keep)).unwrap_or_default();
        Self { incumbent, ties: Ties::Drop, watch: Watch::Improvements, distinct: true, cuts, keep }
    }

    /// Best first; sorts are stable, so that `Order` keeps the order of arrival.
    pub(super) fn compare(&self, a: &Entry, b: &Entry) -> Ordering {
        match (self.ties, &a.standing, &b.standing) {
            (Ties::Drop, Standing::Measured(x), Standing::Measured(y)) => {
                y.order(x).then_with(|| a.ids.cmp(&b.ids))
            }
            _ => a.standing.key().partial_cmp(&b.standing.key()).unwrap_or(Ordering::Equal),
        }
    }

    /// What so many candidates cost on stages of these sizes.
    pub(super) fn race_cost(&self, candidates: usize, stages: &[usize]) -> usize {
        let keep = self.keep.iter().copied().chain([usize::MAX]);
        let mut left = candidates;
        let mut cost = 0;
        for (stage, keep) in stages.iter().zip(keep) {
            cost += left * stage;
            left = left.min(keep);
        }
        cost
    }
}

/// A trigger in a beam.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) ids: Vec<u32>,
    pub(super) standing: Standing,
}

/// What is known of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Standing {
    /// What it does to the batch, as far as it was tried.
    Measured(Rate),
    /// A number that it carries instead: see [`Incumbent::Carried`].
    Carried(f64),
    /// Nothing yet.
    Untried,
}

impl Standing {
    /// Less is better.
    fn key(&self) -> f64 {
        match self {
            Self::Measured(rate) => -rate.share(),
            Self::Carried(key) => *key,
            Self::Untried => f64::INFINITY,
        }
    }

    pub(super) fn rate(&self) -> Option<Rate> {
        match self {
            Self::Measured(rate) => Some(*rate),
            Self::Carried(_) | Self::Untried => None,
        }
    }
}
