//! Hidden states far from where clean texts lie.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use serde::{Deserialize, Serialize};
use sixfold_linalg::{Moments, eigh, matmul};

use crate::{Error, Result};

/// How much of a round covariance is mixed in: Σ_λ = (1 − λ)·Σ + λ·(tr Σ / d)·I.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shrinkage {
    /// The λ that is expected to be closest to the truth, of Ledoit and Wolf (2004), equation
    /// 14: min(1, b²/δ²) with b² = (Σᵢ ‖xᵢ‖⁴ − n·‖Σ‖²)/n² and δ² = ‖Σ − (tr Σ / d)·I‖².
    #[default]
    LedoitWolf,
    /// A given λ above 0 and at most 1.
    Fixed(f64),
}

/// Squared Mahalanobis distance to clean vectors: (h − μ)ᵀ Σ_λ⁻¹ (h − μ).
///
/// The vectors are hidden states of a layer, pooled to one a text.
///
/// # References
/// Lee et al. 2018, *A simple unified framework for detecting out-of-distribution samples and
/// adversarial attacks*; Ledoit and Wolf 2004, *A well-conditioned estimator for
/// large-dimensional covariance matrices*.
///
/// ```
/// use ndarray::array;
/// use sixfold_triggers::{Mahalanobis, Shrinkage};
/// let clean = array![[1.0_f32, 0.0], [-1.0, 0.0], [0.0, 0.1], [0.0, -0.1]];
/// let detector = Mahalanobis::fit(clean.view(), Shrinkage::Fixed(0.01))?;
/// let found = detector.scores(array![[1.0_f32, 0.0], [0.0, 1.0]].view())?;
/// assert!(found[1] > 10.0 * found[0]);
/// # Ok::<(), sixfold_triggers::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Mahalanobis {
    mean: Array1<f64>,
    /// Columns vⱼ/√λⱼ, so that the distance is ‖Wᵀ(h − μ)‖².
    whitening: Array2<f64>,
    shrinkage: f64,
}

impl Mahalanobis {
    /// A detector fitted to clean vectors.
    ///
    /// # Shapes
    /// `[n, d]`
    ///
    /// # Errors
    /// [`Error::Linalg`] for fewer than two vectors, for vectors without variance or that are not
    /// finite; [`Error::Config`] for a λ out of range.
    ///
    /// # Complexity
    /// O(n·d² + d³).
    pub fn fit(clean: ArrayView2<'_, f32>, shrinkage: Shrinkage) -> Result<Self> {
        if let Shrinkage::Fixed(share) = shrinkage
            && !(share > 0.0 && share <= 1.0)
        {
            let problem = format!("shrinkage is {share}, expected above 0 and at most 1");
            return Err(Error::Config { problems: vec![problem] });
        }
        let (n, d) = clean.dim();
        if n < 2 {
            let rows = sixfold_linalg::Error::TooFewRows { found: n as u64, needed: 2 };
            return Err(rows.into());
        }
        if d == 0 {
            return Err(Error::Empty { what: "dimensions of hidden vectors" });
        }
        let clean = clean.mapv(f64::from);
        let mut moments = Moments::new(d);
        moments.update(clean.view())?;
        let mean = moments.mean()?;
        let mut covariance = moments.covariance(0)?;
        let round = covariance.diag().sum() / d as f64;
        if round <= 0.0 {
            let constant = sixfold_linalg::Error::ZeroVariance { what: "hidden vectors" };
            return Err(constant.into());
        }
        let share = match shrinkage {
            Shrinkage::Fixed(share) => share,
            Shrinkage::LedoitWolf => ledoit_wolf(&clean, &mean, &covariance, round),
        };
        covariance *= 1.0 - share;
        covariance.diag_mut().mapv_inplace(|x| x + share * round);
        let decomposed = eigh(covariance.view())?;
        let mut whitening = decomposed.vectors;
        for (mut column, &value) in whitening.axis_iter_mut(Axis(1)).zip(decomposed.values.iter()) {
            column /= value.max(f64::EPSILON * round).sqrt();
        }
        Ok(Self { mean, whitening, shrinkage: share })
    }

    /// λ, given or found.
    pub fn shrinkage(&self) -> f64 {
        self.shrinkage
    }

    /// The squared distance of every vector.
    ///
    /// # Shapes
    /// `[n, d]` → `[n]`
    ///
    /// # Errors
    /// [`Error::Mismatch`] for another width than that of the clean vectors,
    /// [`Error::NotFinite`].
    pub fn scores(&self, vectors: ArrayView2<'_, f32>) -> Result<Array1<f64>> {
        if vectors.ncols() != self.mean.len() {
            return Err(Error::Mismatch {
                what: "the width of hidden vectors",
                expected: self.mean.len().to_string(),
                found: vectors.ncols().to_string(),
            });
        }
        if let Some(index) = vectors.iter().position(|x| !x.is_finite()) {
            return Err(Error::NotFinite { what: "a hidden vector", index });
        }
        let centred = vectors.mapv(f64::from) - &self.mean;
        let white = matmul(centred.view(), self.whitening.view());
        Ok(white.map_axis(Axis(1), |row| row.dot(&row)))
    }
}

/// λ of [`Shrinkage::LedoitWolf`], between a tiny positive number and 1.
fn ledoit_wolf(
    clean: &Array2<f64>,
    mean: &Array1<f64>,
    covariance: &Array2<f64>,
    round: f64,
) -> f64 {
    let n = clean.nrows() as f64;
    let square = |x: &Array2<f64>| x.iter().map(|x| x * x).sum::<f64>();
    let fourth = |row: ArrayView1<'_, f64>| {
        let norm = row.iter().zip(mean).map(|(x, m)| (x - m).powi(2)).sum::<f64>();
        norm * norm
    };
    let fourths = clean.rows().into_iter().map(fourth).sum::<f64>();
    let noise = (fourths - n * square(covariance)) / (n * n);
    let d = mean.len() as f64;
    let spread = square(covariance) - d * round * round;
    // A covariance that is round already, or noise alone: shrinking fully changes nothing.
    if spread <= f64::EPSILON * square(covariance) {
        return 1.0;
    }
    (noise / spread).clamp(1e-9, 1.0)
}
