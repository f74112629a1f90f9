//! The variance of sums over points whose neighbourhoods overlap.

use crate::Neighbours;

/// Variance of Σ ψ_i over points whose terms share neighbours.
///
/// ```text
/// V = 1/(k + 1) · Σ_p (Σ_{i: p ∈ S_i} ψ_i)²,  S_i = {i} ∪ the k nearest of i
///   = Σ_ij ψ_i ψ_j · |S_i ∩ S_j| / (k + 1)
/// ```
///
/// `terms[a]` belongs to point `points[a]` of the table; points without a term count as zero. The
/// terms are centred here: pass the influence of each point, up to a constant.
///
/// # Complexity
/// O(n·k) time, O(n) memory; one thread, so that its result never depends on their number.
pub(crate) fn shared_variance(
    neighbours: &Neighbours,
    points: &[u32],
    terms: &[f64],
    k: usize,
) -> f64 {
    debug_assert_eq!(points.len(), terms.len(), "one term a point");
    let k = k.min(neighbours.k());
    let mean = terms.iter().sum::<f64>() / terms.len() as f64;
    let mut at_point = vec![0.0; neighbours.n()];
    for (&point, &term) in points.iter().zip(terms) {
        let term = term - mean;
        at_point[point as usize] += term;
        for &near in neighbours.indices().row(point as usize).iter().take(k) {
            at_point[near as usize] += term;
        }
    }
    at_point.iter().map(|sum| sum * sum).sum::<f64>() / (k + 1) as f64
}

/// Variance of Σ ψ_i as if the terms were independent.
pub(crate) fn independent_variance(terms: &[f64]) -> f64 {
    let mean = terms.iter().sum::<f64>() / terms.len() as f64;
    terms.iter().map(|term| (term - mean) * (term - mean)).sum()
}
