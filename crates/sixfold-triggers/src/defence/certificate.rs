//! What no short trigger can change.

use super::tally::Tally;

/// The answer of a vote to a text, and the longest trigger that provably leaves it.
///
/// Insert any m ≤ L tokens before the text. Deleting k ≥ m tokens of the result is deleting
/// k − m of the text, so the attacked votes m, …, 2L are c_0, …, c_2L−m of the clean text; only
/// m votes are open. With n_c and n_o the votes of the class c and of another class o among
/// c_0, …, c_2L−m, the answer stays c for every such trigger if
///
/// ```text
/// n_c > n_o + m    for every other class o.
/// ```
///
/// For m = L this asks that c_0 = … = c_L. What holds for m holds for m − 1: one more vote is
/// known, and even if it is for o, n_o + m − 1 is no more than before. At m = 0 it is the clean
/// answer itself.
///
/// It assumes that the tokens are *inserted*: that those of the text stay what they were at the
/// seam, and that nothing of the text is cut off at its end to make room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The answer without a trigger.
    pub class: usize,
    /// The longest trigger that cannot change it; `None` where even the clean vote is a tie.
    pub length: Option<usize>,
}

impl Certificate {
    /// Whether no trigger of at most `length` tokens changes the answer.
    pub fn holds_for(&self, length: usize) -> bool {
        self.length.is_some_and(|longest| length <= longest)
    }

    /// The certificate of the votes c_0, …, c_2L.
    pub(super) fn of(votes: &[usize], n_classes: usize, order: &[usize]) -> Self {
        let mut tally = Tally::new(n_classes, votes.len());
        order.iter().for_each(|&k| tally.add(votes[k]));
        let class = tally.decided().map_or(votes[0], |(class, _)| class);
        let holds = |m: usize| {
            let mut counts = vec![0_usize; n_classes];
            votes[..votes.len() - m].iter().for_each(|&vote| counts[vote] += 1);
            let others = counts.iter().enumerate().filter(|(other, _)| *other != class);
            counts[class] > others.map(|(_, &count)| count).max().unwrap_or(0) + m
        };
        let longest = votes.len() / 2;
        Self { class, length: (0..=longest).take_while(|&m| holds(m)).last() }
    }
}
