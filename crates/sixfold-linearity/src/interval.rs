//! How far a score may be off: intervals over groups of documents.

use sixfold_linalg::jackknife;

use crate::{Linearity, Result, Transition};

/// The scores of a transition with their 95 % intervals.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearityIntervals {
    /// The scores of all tokens.
    pub found: Linearity,
    /// Of [`Linearity::score`]; `None` for fewer than two groups.
    pub score: Option<[f64; 2]>,
    /// Of [`Linearity::without_residual`]; `None` also where that is not defined without one of the
    /// groups.
    pub without_residual: Option<[f64; 2]>,
    /// Of [`Linearity::norm_ratio`].
    pub norm_ratio: Option<[f64; 2]>,
}

impl LinearityIntervals {
    /// Scores of all tokens, with intervals by the jackknife over groups.
    ///
    /// `left_out[g]` are the moments of all tokens but those of group g; tokens of one document
    /// belong to one group, because they depend on each other. The moments of a filter without a
    /// group are a merge of cells: `MomentTap::select` of `sixfold-model` gives them without
    /// reading a token again. A group that has no token under the filter says nothing and is passed
    /// over.
    ///
    /// # Errors
    /// As [`Transition::linearity`]; also where a group leaves fewer than two tokens.
    ///
    /// # Complexity
    /// One [`Transition::linearity`] for each group, and one more.
    ///
    /// # References
    /// Efron & Tibshirani 1993, *An Introduction to the Bootstrap*, ch. 11.
    ///
    /// ```
    /// use ndarray::{Array2, s};
    /// use sixfold_linalg::PairMoments;
    /// use sixfold_linearity::{LinearityIntervals, Transition};
    /// let x = Array2::from_shape_fn((60, 2), |(i, j)| ((i * (j + 3)) as f64 * 0.7).sin());
    /// let y = x.mapv(|v| v + v * v);
    /// let moments = |keep: &dyn Fn(usize) -> bool| {
    ///     let mut pair = PairMoments::new(2, 2);
    ///     for group in (0..6).filter(|group| keep(*group)) {
    ///         let rows = s![10 * group..10 * group + 10, ..];
    ///         pair.update(x.slice(rows), y.slice(rows)).unwrap();
    ///     }
    ///     pair
    /// };
    /// let (all, left_out): (_, Vec<_>) =
    ///     (moments(&|_| true), (0..6).map(|left| moments(&|group| group != left)).collect());
    /// let left_out: Vec<Transition<'_>> = left_out.iter().map(Transition::from).collect();
    /// let found = LinearityIntervals::new(&Transition::from(&all), &left_out)?;
    /// let [low, high] = found.score.unwrap();
    /// assert!(low < found.found.score && found.found.score < high);
    /// # Ok::<(), sixfold_linearity::Error>(())
    /// ```
    #[doc(alias = "confidence_interval")]
    pub fn new(all: &Transition<'_>, left_out: &[Transition<'_>]) -> Result<Self> {
        let found = all.linearity()?;
        let with_tokens = left_out.iter().filter(|part| part.xy.count() < all.xy.count());
        let parts: Vec<Linearity> =
            with_tokens.map(Transition::linearity).collect::<Result<_>>()?;
        // What is not defined without a group is no number, which the jackknife refuses.
        let interval = |statistic: fn(&Linearity) -> Option<f64>| {
            let of = |group: Option<usize>| group.map_or(&found, |group| &parts[group]);
            let estimate = |group| Ok(statistic(of(group)).unwrap_or(f64::NAN));
            jackknife(parts.len(), estimate).ok().map(|found| found.ci95)
        };
        let (score, without_residual, norm_ratio) = (
            interval(|found| Some(found.score)),
            interval(|found| found.without_residual),
            interval(|found| found.norm_ratio),
        );
        Ok(Self { found, score, without_residual, norm_ratio })
    }
}
