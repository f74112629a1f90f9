//! The variance of sums over points whose neighbourhoods overlap.
//!
//! Two points that are near to each other measure the same distances, and points between which
//! lies a third measure distances to it. Their terms go together, so that the variance of a sum
//! is more than n times that of one term: 1.5 times for TwoNN, up to twice for GRIDE.
//!
//! A jackknife does not measure that. Leaving points out changes the neighbours of others, which
//! another draw of as many points would not: leaving out one point, or one of 10, 20 or 50 groups
//! with new neighbours for the rest, claims 1.5 to 1.75 times the true error of TwoNN. A factor of
//! 1.3 on the independent error fits TwoNN's likelihood, but not a fit of the lowest fifth (which
//! needs 1.0) nor GRIDE (1.1 to 1.4).

use crate::Neighbours;

/// Variance of Σ ψᵢ over points whose terms come from distances to their `k` nearest.
///
/// ```text
/// V = Σᵢ (mᵢ − m̄)² + Σᵢⱼ wᵢⱼ eᵢ eⱼ / (1 − Σᵢⱼ wᵢⱼ/n²),   ψᵢ = mᵢ + eᵢ
/// wᵢⱼ = ½ |Sᵢ ∩ Sⱼ|/(k + 1) + ½ [i ∈ Sⱼ or j ∈ Sᵢ],       Sᵢ = {i} ∪ the k nearest of i
/// ```
///
/// - Points that are related count as a pair. Shared neighbours alone (the first half of w, a
///   sum of squares) count too little where neighbours of neighbours are rarely neighbours, in many
///   dimensions; the relation alone counts too much in few.
/// - m is the line of ψ on ln r₍ₖ₎. Where the density changes, so does what a point expects to see;
///   that is no dependence, for the points are drawn independently of each other, and as a product
///   of related points it would count k times. Of a constant density ψ knows no more than ratios
///   to r₍ₖ₎, which are independent of it: the line finds nothing there.
/// - The denominator makes up for the mean that was taken off: V is unbiased for independent terms.
///
/// `terms[a]` belongs to point `points[a]` of the table, ascending; other points have none. Pass the
/// influence of each point on the estimate, up to a constant. The result is positive.
///
/// # Complexity
/// O(n·k) time, O(n) memory; one thread, so that the result never depends on their number.
pub(crate) fn shared_variance(
    neighbours: &Neighbours,
    points: &[u32],
    terms: &[f64],
    k: usize,
) -> f64 {
    debug_assert_eq!(points.len(), terms.len(), "one term a point");
    let n = terms.len() as f64;
    let k = k.min(neighbours.k());
    let (ids, distances) = (neighbours.indices(), neighbours.distances());
    let (rest, of_line) = without_line(terms, || {
        points.iter().map(|&point| distances[(point as usize, k - 1)].ln()).collect()
    });

    // NaN marks the points without a term.
    let mut term_at = vec![f64::NAN; neighbours.n()];
    for (&point, &term) in points.iter().zip(&rest) {
        term_at[point as usize] = term;
    }
    // Over the sets that hold p: Σ eᵢ, and how many they are.
    let mut shared = vec![(0.0, 0.0); neighbours.n()];
    let (mut related, mut pairs) = (0.0, n);
    for (&point, &term) in points.iter().zip(&rest) {
        let point = point as usize;
        related += term * term;
        add(&mut shared[point], term);
        for (&near, &distance) in ids.row(point).iter().zip(distances.row(point)).take(k) {
            let near = near as usize;
            add(&mut shared[near], term);
            if term_at[near].is_nan() {
                continue;
            }
            // A pair that is related both ways is met twice. Only at equal distances the table has
            // to say who was taken.
            let reach = distances[(near, k - 1)];
            let mutual = distance < reach
                || (distance <= reach
                    && ids.row(near).iter().take(k).any(|&back| back as usize == point));
            let weight = if mutual { 1.0 } else { 2.0 };
            related += weight * term * term_at[near];
            pairs += weight;
        }
    }
    let size = (k + 1) as f64;
    let sharing = shared.iter().map(|(sum, _)| sum * sum).sum::<f64>() / size;
    let shares = shared.iter().map(|(_, count)| count * count).sum::<f64>() / size;
    // The relation is no sum of squares; below zero it would be chance.
    let variance = 0.5 * (sharing + related.max(0.0));
    let weights = 0.5 * (shares + pairs) / (n * n);
    of_line + variance / (1.0 - weights.min(0.5))
}

/// Variance of Σ ψᵢ as if the terms were independent.
pub(crate) fn independent_variance(terms: &[f64]) -> f64 {
    let mean = terms.iter().sum::<f64>() / terms.len() as f64;
    terms.iter().map(|term| (term - mean) * (term - mean)).sum()
}

fn add(to: &mut (f64, f64), term: f64) {
    to.0 += term;
    to.1 += 1.0;
}

/// What is left of the terms without their line on a covariate, and the line's Σ (mᵢ − m̄)².
fn without_line(terms: &[f64], covariate: impl FnOnce() -> Vec<f64>) -> (Vec<f64>, f64) {
    let n = terms.len() as f64;
    let mean = terms.iter().sum::<f64>() / n;
    let x = covariate();
    let x_mean = x.iter().sum::<f64>() / n;
    let (mut xx, mut xy) = (0.0, 0.0);
    for (x, term) in x.iter().zip(terms) {
        xx += (x - x_mean).powi(2);
        xy += (x - x_mean) * (term - mean);
    }
    // All at one distance, or one of them at 0: there is no line.
    let slope = if xx > 0.0 && xx.is_finite() { xy / xx } else { 0.0 };
    if slope == 0.0 {
        return (terms.iter().map(|term| term - mean).collect(), 0.0);
    }
    let rest = x.iter().zip(terms).map(|(x, term)| term - mean - slope * (x - x_mean)).collect();
    (rest, slope * slope * xx)
}
