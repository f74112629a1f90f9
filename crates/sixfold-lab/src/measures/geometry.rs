//! How a cloud of hidden states is spread (arXiv 2311.05928, §3; IsoScore, arXiv 2108.07344).

use anyhow::{Result, ensure};
use sixfold_linalg::{Moments, eigvalsh};

/// Scores of one site, from the eigenvalues λ of its centred scatter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    /// `λ₁/Σλ`: the share of the largest direction.
    pub(crate) anisotropy: f64,
    /// `(PR − 1)/(D − 1)`: 0 for a line, 1 for a ball.
    pub(crate) iso_score: f64,
    /// `PR = (Σλ)²/Σλ²`.
    pub(crate) participation_ratio: f64,
    /// `Σλ/λ₁`.
    pub(crate) nesum: f64,
    /// `exp(−Σ p ln p)` with `p = λ/Σλ`.
    pub(crate) effective_rank: f64,
}

/// The scores of a site.
///
/// # Errors
/// Fewer than two tokens, or tokens that do not vary.
pub(crate) fn spread(moments: &Moments) -> Result<Spread> {
    let n = moments.count();
    ensure!(n >= 2, "{n} tokens are left, too few for an anisotropy");
    let values: Vec<f64> =
        eigvalsh(moments.scatter().view())?.iter().map(|value| value.max(0.0)).collect();
    let total: f64 = values.iter().sum();
    ensure!(total > 0.0, "all {n} tokens are equal at this site: no anisotropy is defined");
    let squares: f64 = values.iter().map(|value| value * value).sum();
    let largest = values.iter().copied().fold(0.0, f64::max);
    let participation_ratio = total * total / squares;
    let entropy: f64 =
        values.iter().map(|value| value / total).filter(|&p| p > 0.0).map(|p| -p * p.ln()).sum();
    Ok(Spread {
        anisotropy: largest / total,
        iso_score: (participation_ratio - 1.0) / (values.len() as f64 - 1.0).max(1.0),
        participation_ratio,
        nesum: total / largest,
        effective_rank: entropy.exp(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    /// Points ±σᵢeᵢ, whose scatter is 2·diag(σ²).
    fn cross(sigma: &[f64]) -> Moments {
        let d = sigma.len();
        let points = Array2::from_shape_fn((2 * d, d), |(row, column)| {
            let sign = if row < d { 1.0 } else { -1.0 };
            if row % d == column { sign * sigma[column] } else { 0.0 }
        });
        let mut moments = Moments::new(d);
        moments.update(points.view()).unwrap();
        moments
    }

    #[test]
    fn a_diagonal_cloud_has_its_known_scores() {
        let sigma = [3.0, 2.0, 1.0, 0.5];
        let squares: Vec<f64> = sigma.iter().map(|s| s * s).collect();
        let total: f64 = squares.iter().sum();
        let fourth: f64 = squares.iter().map(|s| s * s).sum();
        let found = spread(&cross(&sigma)).unwrap();
        assert!((found.anisotropy - 9.0 / total).abs() < 1e-12);
        assert!((found.nesum - total / 9.0).abs() < 1e-12);
        assert!((found.participation_ratio - total * total / fourth).abs() < 1e-9);
        assert!((found.iso_score - (found.participation_ratio - 1.0) / 3.0).abs() < 1e-12);
    }

    #[test]
    fn a_ball_has_full_rank_and_score_one() {
        let found = spread(&cross(&[2.0; 6])).unwrap();
        assert!((found.effective_rank - 6.0).abs() < 1e-9);
        assert!((found.iso_score - 1.0).abs() < 1e-9);
        assert!((found.anisotropy - 1.0 / 6.0).abs() < 1e-9);
    }

    #[test]
    fn tokens_that_do_not_vary_are_an_error() {
        let error = spread(&cross(&[0.0, 0.0])).unwrap_err().to_string();
        assert!(error.contains("equal"), "{error}");
    }
}
