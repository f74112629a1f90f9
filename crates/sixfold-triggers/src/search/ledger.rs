//! What a search has cost.

use serde::{Deserialize, Serialize};

use crate::Forwards;

/// Example-forwards by purpose, to the millionth.
///
/// ```
/// use sixfold_triggers::{Account, Forwards, Ledger};
///
/// let mut ledger = Ledger::default();
/// ledger.charge(Account::Clean, Forwards(872.0));
/// ledger.charge(Account::Score, Forwards(243.2));
/// ledger.charge(Account::Verify, Forwards(2144.0));
/// assert_eq!(ledger.spent(), Forwards(2387.2)); // without the pseudo-labels
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Ledger {
    /// Pseudo-labels: all examples once without a trigger. Outside of the budget.
    pub clean: Forwards,
    /// Scores of tokens.
    pub score: Forwards,
    /// Candidates on batches.
    pub verify: Forwards,
    /// Winners on the fixed examples.
    pub monitor: Forwards,
    /// Triggers on all examples.
    pub full: Forwards,
}

/// A purpose of example-forwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Account {
    /// Pseudo-labels.
    Clean,
    /// Scores of tokens.
    Score,
    /// Candidates on batches.
    Verify,
    /// Winners on the fixed examples.
    Monitor,
    /// Triggers on all examples.
    Full,
}

impl Ledger {
    /// Adds a cost.
    pub fn charge(&mut self, account: Account, cost: Forwards) {
        let sum = match account {
            Account::Clean => &mut self.clean,
            Account::Score => &mut self.score,
            Account::Verify => &mut self.verify,
            Account::Monitor => &mut self.monitor,
            Account::Full => &mut self.full,
        };
        *sum = exact(sum.0 + cost.0);
    }

    /// All that counts against a budget: everything but the pseudo-labels.
    pub fn spent(&self) -> Forwards {
        exact(self.score.0 + self.verify.0 + self.monitor.0 + self.full.0)
    }
}

/// To the millionth, so that a file in decimal digits gives the very number back.
fn exact(forwards: f64) -> Forwards {
    Forwards((forwards * 1e6).round() / 1e6)
}
