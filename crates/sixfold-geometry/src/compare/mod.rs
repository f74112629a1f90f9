//! Two views of the same points: do they see the same neighbours?
//!
//! Row i of both is the same point: one token at two layers, one text in two models. Distances of
//! different views are never compared with each other, only who is near to whom.
//!
//! **Ties and copies.** As in the table of neighbours, equal distances are ordered by index, in
//! both views alike: what two views cannot order counts as if they agreed. Copies of a point are
//! neighbours like any other; counts of them stand beside the result where they matter. Take them
//! out before if they say nothing, such as the first token of each text.

mod imbalance;
mod overlap;

pub use imbalance::{Imbalance, information_imbalance, information_imbalance_to};
pub use overlap::neighbourhood_overlap;

use sixfold_linalg::{Jackknife, jackknife};

use crate::Result;

/// Groups that are left out one at a time.
const GROUPS: usize = 32;

/// The mean of one value a point, its standard error from leaving out groups of consecutive points:
/// tokens of one text depend on each other, and stand together.
fn mean(values: &[f64]) -> Result<Jackknife> {
    let n = values.len();
    let groups = GROUPS.min(n);
    let sum = |from: usize, to: usize| values[from..to].iter().sum::<f64>();
    let total = sum(0, n);
    let mean = |left_out: Option<usize>| {
        let (from, to) = left_out.map_or((0, 0), |g| (g * n / groups, (g + 1) * n / groups));
        Ok((total - sum(from, to)) / (n - (to - from)) as f64)
    };
    Ok(jackknife(groups, mean)?)
}
