//! How the variance of a cloud is spread over its directions.

use ndarray::Array1;
use sixfold_linalg::{eigvalsh, gram_rcond};

use super::{Caution, Cloud};
use crate::Result;

/// All scores of a cloud, from the eigenvalues λ of its covariance and from its directions.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    /// λ₁/Σλ: the share of the first principal direction.
    pub anisotropy: f64,
    /// Mean cosine of all pairs of points, not centred; `None` for fewer than two points that are
    /// not zero.
    pub mean_cosine: Option<f64>,
    /// (PR − 1)/(d − 1): 0 for a line, 1 for a ball; `None` for one coordinate.
    pub iso_score: Option<f64>,
    /// PR = (Σλ)²/Σλ²: how many directions carry the variance.
    pub participation_ratio: f64,
    /// Σλ/λ₁: the eigenvalues in units of the largest.
    pub nesum: f64,
    /// exp(−Σ p ln p) with p = λ/Σλ: the exponential of the entropy of the spectrum.
    pub effective_rank: f64,
    /// Mean norm of the points, not centred.
    pub mean_norm: f64,
    /// Number of points n.
    pub n: u64,
    /// Number of coordinates d.
    pub d: usize,
    /// Directions that vary by more than the rounding of the products: eigenvalues of the
    /// correlation matrix above [`gram_rcond`] of its largest.
    pub rank: usize,
    /// What a reader of the numbers has to know.
    pub cautions: Vec<Caution>,
}

/// A score of [`Spread`], to go over all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Score {
    /// [`Spread::anisotropy`].
    Anisotropy,
    /// [`Spread::mean_cosine`].
    MeanCosine,
    /// [`Spread::iso_score`].
    IsoScore,
    /// [`Spread::participation_ratio`].
    ParticipationRatio,
    /// [`Spread::nesum`].
    NeSum,
    /// [`Spread::effective_rank`].
    EffectiveRank,
    /// [`Spread::mean_norm`].
    MeanNorm,
}

impl Score {
    /// All scores.
    pub const ALL: [Self; 7] = [
        Self::Anisotropy,
        Self::MeanCosine,
        Self::IsoScore,
        Self::ParticipationRatio,
        Self::NeSum,
        Self::EffectiveRank,
        Self::MeanNorm,
    ];

    /// The name in results: that of the field.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Anisotropy => "anisotropy",
            Self::MeanCosine => "mean_cosine",
            Self::IsoScore => "iso_score",
            Self::ParticipationRatio => "participation_ratio",
            Self::NeSum => "nesum",
            Self::EffectiveRank => "effective_rank",
            Self::MeanNorm => "mean_norm",
        }
    }
}

impl Spread {
    /// The value of a score; `None` where it is not defined for this cloud.
    pub fn score(&self, score: Score) -> Option<f64> {
        match score {
            Score::Anisotropy => Some(self.anisotropy),
            Score::MeanCosine => self.mean_cosine,
            Score::IsoScore => self.iso_score,
            Score::ParticipationRatio => Some(self.participation_ratio),
            Score::NeSum => Some(self.nesum),
            Score::EffectiveRank => Some(self.effective_rank),
            Score::MeanNorm => Some(self.mean_norm),
        }
    }
}

impl Cloud {
    /// All scores of the cloud.
    ///
    /// # Errors
    /// [`Error::TooFewPoints`](crate::Error::TooFewPoints) for fewer than three points,
    /// [`Error::AllEqual`](crate::Error::AllEqual).
    ///
    /// # Complexity
    /// Two spectra of d × d matrices, 4/3·d³ operations each.
    ///
    /// # References
    /// Anisotropy: Razzhigaev et al. 2024 (arXiv 2311.05928), §3. IsoScore: Rudman et al. 2022
    /// (arXiv 2108.07344). NESum: He, Shang, Chen 2022 (arXiv 2206.07252). Effective rank: Roy and
    /// Vetterli 2007, *The effective rank*, eq. 2.
    pub fn spread(&self) -> Result<Spread> {
        Ok(Spread { rank: self.rank()?, ..self.scores()? })
    }

    /// All but the rank, which is 0.
    pub(super) fn scores(&self) -> Result<Spread> {
        let total = self.variance("spread")?;
        let values = self.eigenvalues()?;
        let (n, d) = (self.count(), self.dim());
        let squares: f64 = values.dot(&values);
        let participation_ratio = total * total / squares;
        Ok(Spread {
            anisotropy: values[0] / total,
            mean_cosine: self.directions().mean_cosine().ok(),
            iso_score: iso_score(participation_ratio, d),
            participation_ratio,
            nesum: total / values[0],
            effective_rank: effective_rank(&values),
            mean_norm: self.directions().mean_norm()?,
            n,
            d,
            rank: 0,
            cautions: self.cautions(),
        })
    }

    /// Eigenvalues of the correlation matrix that stand out from rounding.
    fn rank(&self) -> Result<usize> {
        let mut correlation = self.moments().scatter();
        let inverse: Array1<f64> =
            correlation.diag().mapv(|square| if square > 0.0 { 1.0 / square.sqrt() } else { 0.0 });
        for ((i, j), value) in correlation.indexed_iter_mut() {
            *value *= inverse[i] * inverse[j];
        }
        let values = eigvalsh(correlation.view())?;
        let rcond = match self.is_single() {
            true => gram_rcond::<f32>(self.dim()),
            false => gram_rcond::<f64>(self.dim()),
        };
        Ok(values.iter().take_while(|value| **value > rcond * values[0]).count())
    }

    fn cautions(&self) -> Vec<Caution> {
        let (n, d) = (self.count() as usize, self.dim());
        let mut cautions = Vec::new();
        if n <= d {
            cautions.push(Caution::FewerPointsThanCoordinates { n, d });
        }
        let all = self.directions().count() as usize;
        let zeros = all - self.directions().directed() as usize;
        if zeros > 0 {
            cautions.push(Caution::NoDirection { zeros, of: all });
        }
        cautions
    }
}

/// (PR − 1)/(d − 1).
pub(super) fn iso_score(participation_ratio: f64, d: usize) -> Option<f64> {
    (d > 1).then(|| (participation_ratio - 1.0) / (d as f64 - 1.0))
}

fn effective_rank(values: &Array1<f64>) -> f64 {
    let total = values.sum();
    let shares = values.iter().map(|value| value / total).filter(|share| *share > 0.0);
    shares.map(|share| -share * share.ln()).sum::<f64>().exp()
}
