//! GRIDE: the dimension from ratios of distances to farther neighbours.

use super::interval::{Interval, Spread};
use super::ratios::LogRatios;
use super::{Caution, Dimension};
use crate::{Error, Neighbours, Result};

const NAME: &str = "GRIDE";

/// One scale of [`gride_scan`].
#[derive(Clone, Debug, PartialEq)]
pub struct GrideStep {
    /// The two ranks n₁ < n₂ whose distances were compared.
    pub ranks: [usize; 2],
    /// The estimate; its scale is the median distance to the n₂-th neighbour.
    pub dimension: Dimension,
}

/// Intrinsic dimension from the ratios μ = r_{n₂}/r_{n₁}, by maximum likelihood.
///
/// # Errors
/// [`Error::TooFewNeighbours`] for k < n₂.
pub fn gride(neighbours: &Neighbours, ranks: [usize; 2], interval: Interval) -> Result<Dimension> {
    let [n1, n2] = ranks;
    if n1 == 0 || n1 >= n2 {
        let expected = "1 ≤ n₁ < n₂";
        return Err(Error::InvalidParameter { name: "n₁", found: n1 as f64, expected });
    }
    let ratios = LogRatios::of_ranks(neighbours, ranks, NAME)?;
    let n = ratios.n();
    let value = maximum(&ratios.values, ranks);
    // ln d moves by score_i / (d·Σ information).
    let information: f64 = ratios.values.iter().map(|&x| information(value, x, ranks)).sum();
    let spread = match interval {
        Interval::Honest => {
            let unit = n as f64 / (value * information);
            let terms: Vec<f64> =
                ratios.values.iter().map(|&x| unit * score(value, x, ranks)).collect();
            Spread::shared(value, neighbours, &ratios.points, &terms, n2)
        }
        Interval::Exact => {
            let relative = 1.0 / (value * information.sqrt());
            Spread::of_relative(value, relative)
        }
    };
    Ok(Dimension {
        value,
        std_error: Some(spread.std_error),
        ci95: Some(spread.ci95),
        n,
        excluded: ratios.excluded,
        scale: ratios.scale,
        cautions: Caution::of_estimate(value, n, ratios.excluded),
    })
}

/// [`gride`] at ranks (1, 2), (2, 4), (4, 8), … as far as the table goes.
///
/// # Errors
/// Those of [`gride`] at any scale.
pub fn gride_scan(neighbours: &Neighbours, interval: Interval) -> Result<Vec<GrideStep>> {
    if neighbours.k() < 2 {
        return Err(Error::TooFewNeighbours { what: NAME, found: neighbours.k(), needed: 2 });
    }
    let ranks = std::iter::successors(Some(1_usize), |&rank| Some(2 * rank));
    ranks
        .map(|rank| [rank, 2 * rank])
        .take_while(|&[_, outer]| outer <= neighbours.k())
        .map(|ranks| Ok(GrideStep { ranks, dimension: gride(neighbours, ranks, interval)? }))
        .collect()
}

/// x / (1 − e^{−d·x}), which is 1/d at x = 0.
fn tilted(d: f64, x: f64) -> f64 {
    let reach = d * x;
    if reach == 0.0 { 1.0 / d } else { x / -(-reach).exp_m1() }
}

/// Derivative of one point's log-likelihood in d.
fn score(d: f64, x: f64, [n1, n2]: [usize; 2]) -> f64 {
    let between = (n2 - n1 - 1) as f64;
    let outer = (n2 - 1) as f64;
    1.0 / d + between * tilted(d, x) - outer * x
}

/// Minus its second derivative.
fn information(d: f64, x: f64, [n1, n2]: [usize; 2]) -> f64 {
    let between = (n2 - n1 - 1) as f64;
    1.0 / (d * d) + between * tilted(d, x).powi(2) * (-d * x).exp()
}

/// The d at which the scores sum to zero; they fall in d.
fn maximum(logs: &[f64], ranks: [usize; 2]) -> f64 {
    let [n1, n2] = ranks;
    let n = logs.len() as f64;
    let total: f64 = logs.iter().sum();
    if n2 - n1 == 1 {
        return n / (n1 as f64 * total);
    }
    // d·Σ score is 0 at the root; ln d is bracketed by halving and doubling.
    let slope = |d: f64| -> f64 { logs.iter().map(|&x| score(d, x, ranks)).sum() };
    let mut low = n / (n1 as f64 * total);
    let mut high = low;
    while slope(low) < 0.0 {
        low *= 0.5;
    }
    while slope(high) > 0.0 {
        high *= 2.0;
    }
    loop {
        let middle = (low * high).sqrt();
        if middle <= low || middle >= high || high / low < 1.0 + 1e-14 {
            return middle;
        }
        if slope(middle) > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
}
