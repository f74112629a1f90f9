//! Logarithms of ratios of neighbours' distances, what TwoNN and GRIDE are made of.

use super::local::median;
use crate::{Error, Neighbours, Result};

/// ln μ = ln(r_outer / r_inner) of the points that copies leave one.
pub(crate) struct LogRatios {
    /// ln μ ≥ 0, in the order of the points.
    pub(crate) values: Vec<f64>,
    /// Which points of the table they belong to, ascending.
    pub(crate) points: Vec<u32>,
    /// Points left out because their inner distance is 0, or because the two distances are to
    /// copies of one point and therefore equal.
    pub(crate) excluded: usize,
    /// Median distance to the outer neighbour, over the points that were kept.
    pub(crate) scale: f64,
}

impl LogRatios {
    /// The ratios of two ranks, counted from 1, of every point of a table.
    ///
    /// # Errors
    /// `TooFewNeighbours`; `AllEqual`; `TooFewPoints` for fewer than three points without a copy;
    /// `EqualDistances` where all ratios are 1.
    pub(crate) fn of_ranks(
        neighbours: &Neighbours,
        [inner, outer]: [usize; 2],
        what: &'static str,
    ) -> Result<Self> {
        let far = neighbours.at_rank(outer, what)?;
        let near = neighbours.at_rank(inner, what)?;
        if all_equal(neighbours) {
            return Err(Error::AllEqual { what, n: neighbours.n() });
        }
        // A nearest distance of 0 is a copy; the outer distance is never the smaller one.
        let first = neighbours.at_rank(1, what)?;
        let ids = neighbours.indices();
        let pairs = near.iter().zip(far).zip(ids.column(inner - 1)).map(|((&r, &s), &id)| {
            if s <= r && first[id as usize] == 0.0 { (0.0, s) } else { (r, s) }
        });
        Self::of_distances(pairs, what)
    }

    /// The ratios of pairs (inner, outer) that are finite and 0 ≤ inner ≤ outer. An inner 0 leaves
    /// the point out.
    pub(crate) fn of_distances(
        pairs: impl Iterator<Item = (f64, f64)>,
        what: &'static str,
    ) -> Result<Self> {
        let (mut values, mut points, mut far, mut n) = (Vec::new(), Vec::new(), Vec::new(), 0);
        for (inner, outer) in pairs {
            if inner > 0.0 {
                // Of the quotient, so that equal points give the other libraries' very numbers;
                // it overflows only between subnormal and huge distances.
                let ratio = outer / inner;
                let log = if ratio.is_finite() { ratio.ln() } else { outer.ln() - inner.ln() };
                values.push(log);
                points.push(n);
                far.push(outer);
            }
            n += 1;
        }
        let found = values.len();
        if found < 3 {
            return Err(Error::TooFewPoints { what, found, needed: 3 });
        }
        if values.iter().all(|&value| value == 0.0) {
            return Err(Error::EqualDistances { what, n: found });
        }
        let scale = median(far);
        Ok(Self { values, points, excluded: n as usize - found, scale })
    }

    /// Points that were kept.
    pub(crate) fn n(&self) -> usize {
        self.values.len()
    }

    /// Σ ln μ.
    pub(crate) fn sum(&self) -> f64 {
        self.values.iter().sum()
    }

    /// The positions of the ratios, the smallest ratio first; equal ones by position.
    pub(crate) fn ascending(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.n() as u32).collect();
        order.sort_unstable_by(|&a, &b| {
            self.values[a as usize].total_cmp(&self.values[b as usize]).then(a.cmp(&b))
        });
        order
    }
}

/// Whether every point is a copy of one and the same.
///
/// Tables order equal distances by index, so that then every point has the first one near it.
pub(crate) fn all_equal(neighbours: &Neighbours) -> bool {
    neighbours.n() > 0
        && neighbours.distances().iter().all(|&distance| distance == 0.0)
        && neighbours
            .indices()
            .rows()
            .into_iter()
            .enumerate()
            .all(|(point, near)| point == 0 || near.iter().any(|&id| id == 0))
}
