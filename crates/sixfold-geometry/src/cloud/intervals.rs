//! Scores with intervals, from clouds of groups of points.

use sixfold_linalg::{Jackknife, jackknife};

use super::{Cloud, Score, Spread};
use crate::{Error, Result};

/// The scores of a whole cloud, and how far they move when one group of points is left out.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupedSpread {
    /// The scores of all points.
    pub spread: Spread,
    /// Groups that have points.
    pub groups: usize,
    /// In the order of [`Score::ALL`].
    intervals: Vec<Option<Jackknife>>,
}

impl GroupedSpread {
    /// The score with its standard error and its 95 % interval; `None` for fewer than two groups,
    /// or where the score is not defined without one of them.
    pub fn jackknife(&self, score: Score) -> Option<Jackknife> {
        let at = Score::ALL.iter().position(|other| *other == score)?;
        self.intervals[at]
    }

    /// The 95 % interval of a score, under the conditions of [`jackknife`](Self::jackknife).
    pub fn ci95(&self, score: Score) -> Option<[f64; 2]> {
        self.jackknife(score).map(|found| found.ci95)
    }
}

/// The scores of a cloud that is given in groups, with delete-one-group jackknife intervals.
///
/// Groups should be of similar size and independent of each other: documents, not tokens. Groups
/// without points are passed over.
///
/// # Errors
/// Those of [`Cloud::merge`] and [`Cloud::spread`]; [`Error::TooFewPoints`] where no group has a
/// point.
///
/// # Complexity
/// g + 2 spectra and g·log₂ g merges for g groups; log₂ g states at a time.
///
/// ```
/// use ndarray::array;
/// use sixfold_geometry::cloud::{Cloud, Score, spread_of_groups};
///
/// let mut groups = vec![Cloud::new(2); 4];
/// for (i, group) in groups.iter_mut().enumerate() {
///     let a = 2.0 + 0.1 * i as f64;
///     group.update(array![[a, 0.0], [-a, 0.0], [0.0, 1.0], [0.0, -1.0]].view())?;
/// }
/// let found = spread_of_groups(&groups)?;
/// let [low, high] = found.ci95(Score::Anisotropy).unwrap();
/// assert!(low < found.spread.anisotropy && found.spread.anisotropy < high);
/// # Ok::<(), sixfold_geometry::Error>(())
/// ```
pub fn spread_of_groups(groups: &[Cloud]) -> Result<GroupedSpread> {
    let groups: Vec<&Cloud> = groups.iter().filter(|group| group.count() > 0).collect();
    let Some((first, rest)) = groups.split_first() else {
        return Err(Error::TooFewPoints { what: "spread", found: 0, needed: 3 });
    };
    let mut all = (*first).clone();
    for group in rest {
        all.merge(group)?;
    }
    let spread = all.spread()?;
    // None where the rest is too small to have scores.
    let mut partial: Vec<Option<Spread>> = Vec::with_capacity(groups.len());
    if groups.len() > 1 {
        without_each(&groups, None, &mut |rest| {
            partial.push(rest.scores().ok());
            Ok(())
        })?;
    }
    let interval = |score: Score| {
        let value = spread.score(score)?;
        let partial: Vec<f64> =
            partial.iter().map(|rest| rest.as_ref()?.score(score)).collect::<Option<_>>()?;
        jackknife(partial.len(), |left_out| Ok(left_out.map_or(value, |i| partial[i]))).ok()
    };
    let intervals = Score::ALL.into_iter().map(interval).collect();
    Ok(GroupedSpread { spread, groups: groups.len(), intervals })
}

/// Calls `f` with the merge of all groups but one, for each in order. Halves share their merges.
/// `outside` is the merge of all that is not in `groups`; none at the start.
fn without_each(
    groups: &[&Cloud],
    outside: Option<Cloud>,
    f: &mut impl FnMut(&Cloud) -> Result<()>,
) -> Result<()> {
    if groups.len() == 1 {
        return outside.map_or(Ok(()), |rest| f(&rest));
    }
    let (left, right) = groups.split_at(groups.len() / 2);
    without_each(left, Some(joined(outside.as_ref(), right)?), f)?;
    without_each(right, Some(joined(outside.as_ref(), left)?), f)
}

fn joined(outside: Option<&Cloud>, groups: &[&Cloud]) -> Result<Cloud> {
    let mut all = outside.into_iter().chain(groups.iter().copied());
    let mut joined = all.next().cloned().unwrap_or_else(|| Cloud::new(0));
    all.try_for_each(|cloud| joined.merge(cloud))?;
    Ok(joined)
}
