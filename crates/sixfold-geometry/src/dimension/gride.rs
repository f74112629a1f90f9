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

/// Intrinsic dimension from the ratios μ = r₍ₙ₂₎/r₍ₙ₁₎ of the distances to two neighbours, by
/// maximum likelihood.
///
/// ```text
/// f(μ | d) = d (μᵈ − 1)^{n₂−n₁−1} / (μ^{(n₂−1)d + 1} B(n₂ − n₁, n₁))
/// 0 = (N − 1)/d + (n₂ − n₁ − 1) Σ ln μ/(1 − μ⁻ᵈ) − (n₂ − 1) Σ ln μ
/// ```
///
/// Larger ranks look at a larger scale: noise that blurs near points matters less, curvature and
/// the cloud's edge more. [`gride_scan`] shows both. The derivative has N − 1 where the likelihood's
/// own has N, as in DADApy: for n₂ − n₁ = 1 the estimate is then (N − 1) / (n₁ Σ ln μ) and unbiased,
/// and for ranks (1, 2) that of [`two_nn`](super::two_nn).
///
/// [`Interval::Exact`] is the Fisher information's, of N independent points; at rank 2k every
/// point shares its neighbours with about 2k others, so that it falls short by more the larger the
/// ranks are. Points whose n₁-th distance is 0 for copies are left out and counted,
/// as in [`two_nn`](super::two_nn).
///
/// # Errors
/// [`Error::InvalidParameter`] unless 1 ≤ n₁ < n₂; [`Error::TooFewNeighbours`] for a table with
/// k < n₂; [`Error::TooFewPoints`] for fewer than three points without a copy;
/// [`Error::AllEqual`]; [`Error::EqualDistances`] where all ratios are 1.
///
/// # Complexity
/// O(N) for each of about six steps of the root, O(N·n₂) for the honest interval.
///
/// # References
/// Denti, Doimo, Laio and Mira 2022, *The generalized ratios intrinsic dimension estimator*,
/// Scientific Reports 12, 20005.
///
/// ```
/// use sixfold_geometry::dimension::{Interval, gride};
/// use sixfold_geometry::{manifolds, neighbours};
/// let x = manifolds::sphere(500, 2, 0); // in three coordinates
/// let table = neighbours(x.view(), 8)?;
/// let found = gride(&table, [4, 8], Interval::Honest)?;
/// assert!((found.value - 2.0).abs() < 0.3, "{found:?}");
/// # Ok::<(), sixfold_geometry::Error>(())
/// ```
#[doc(alias = "generalized ratios")]
#[doc(alias = "compute_id_gride")]
pub fn gride(neighbours: &Neighbours, ranks: [usize; 2], interval: Interval) -> Result<Dimension> {
    let model = Model::new(ranks)?;
    let ratios = LogRatios::of_ranks(neighbours, ranks, NAME)?;
    let value = model.maximum(&ratios);
    let information: f64 = ratios.values.iter().map(|&x| model.at(value, x).information).sum();
    let spread = match interval {
        // ln d moves by scoreᵢ / (d·Σ information) where point i weighs more.
        Interval::Honest => {
            let unit = ratios.n() as f64 / (value * information);
            let term = |&x: &f64| unit * model.at(value, x).score;
            let terms: Vec<f64> = ratios.values.iter().map(term).collect();
            Spread::shared(value, neighbours, &ratios.points, &terms, ranks[1])
        }
        Interval::Exact => Spread::of_relative(value, (value * information.sqrt()).recip()),
    };
    Ok(Dimension {
        value,
        std_error: Some(spread.std_error),
        ci95: Some(spread.ci95),
        n: ratios.n(),
        excluded: ratios.excluded,
        scale: ratios.scale,
        cautions: Caution::of_estimate(value, ratios.n(), ratios.excluded),
    })
}

/// [`gride`] at ranks (1, 2), (2, 4), (4, 8), … as far as the table goes: the dimension over
/// scales.
///
/// # Errors
/// [`Error::TooFewNeighbours`] for k < 2, and those of [`gride`] at any scale.
///
/// # Complexity
/// O(N·log k) for the estimates, O(N·k) for honest intervals.
///
/// # References
/// Denti, Doimo, Laio and Mira 2022, section "Gride asymptotics".
#[doc(alias = "return_id_scaling_gride")]
pub fn gride_scan(neighbours: &Neighbours, interval: Interval) -> Result<Vec<GrideStep>> {
    neighbours.at_rank(2, NAME)?;
    std::iter::successors(Some(1_usize), |&rank| rank.checked_mul(2))
        .map(|rank| [rank, rank.saturating_mul(2)])
        .take_while(|&[_, outer]| outer <= neighbours.k())
        .map(|ranks| Ok(GrideStep { ranks, dimension: gride(neighbours, ranks, interval)? }))
        .collect()
}

/// The likelihood of one ratio, for two ranks.
struct Model {
    /// n₁.
    inner: f64,
    /// n₂ − n₁ − 1, the neighbours in between.
    between: f64,
    /// n₂ − 1.
    outer: f64,
}

/// First derivative of a log-likelihood in d, and minus the second.
struct Derivatives {
    score: f64,
    information: f64,
}

impl Model {
    fn new([n1, n2]: [usize; 2]) -> Result<Self> {
        if n1 == 0 || n1 >= n2 {
            let expected = "1 ≤ n₁ < n₂";
            return Err(Error::InvalidParameter { name: "n₁", found: n1 as f64, expected });
        }
        Ok(Self { inner: n1 as f64, between: (n2 - n1 - 1) as f64, outer: (n2 - 1) as f64 })
    }

    /// At one x = ln μ.
    fn at(&self, d: f64, x: f64) -> Derivatives {
        // x / (1 − e^{−d·x}) cannot overflow, as powers of μ do, and is 1/d at x = 0.
        let power = (-d * x).exp_m1();
        let tilted = if power == 0.0 { 1.0 / d } else { x / -power };
        Derivatives {
            score: 1.0 / d + self.between * tilted - self.outer * x,
            information: 1.0 / (d * d) + self.between * tilted * tilted * (1.0 + power),
        }
    }

    /// The d at which the scores sum to 1/d. The difference falls in d, from +∞ to −n₁ Σ ln μ.
    fn maximum(&self, ratios: &LogRatios) -> f64 {
        let start = (ratios.n() - 1) as f64 / (self.inner * ratios.sum());
        if self.between == 0.0 {
            return start;
        }
        let (mut low, mut high, mut d) = (0.0, f64::INFINITY, start);
        // Scoring in ln d, which alone takes four to eight steps; the bracket is for its safety.
        for _ in 0..200 {
            let (mut score, mut information) = (-1.0 / d, 0.0);
            for &x in &ratios.values {
                let at = self.at(d, x);
                score += at.score;
                information += at.information;
            }
            if score > 0.0 {
                low = d;
            } else {
                high = d;
            }
            let step = (score / (d * information)).clamp(-1.0, 1.0);
            let next = d * step.exp();
            d = if low < next && next < high {
                next
            } else if step.abs() < 1e-12 {
                break;
            } else {
                (low * high).sqrt()
            };
            if step.abs() < 1e-14 {
                break;
            }
        }
        d
    }
}
