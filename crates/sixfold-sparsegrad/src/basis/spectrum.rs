//! How much of the gradients' energy a basis holds.

/// The energy of calibration gradients along the coordinates of a basis.
#[derive(Clone, Debug, PartialEq)]
pub struct Spectrum {
    /// Along the columns of U.
    pub input: SideSpectrum,
    /// Along the columns of V.
    pub output: SideSpectrum,
}

/// The energy along the coordinates of one side.
#[derive(Clone, Debug, PartialEq)]
pub struct SideSpectrum {
    /// Σ ‖uᵀ·G‖² of each coordinate u, the largest first: eigenvalues of the Gram matrix, `[r]`.
    pub values: Vec<f64>,
    /// Σ ‖G‖² over all gradients, the sum of all d eigenvalues.
    pub total: f64,
}

impl SideSpectrum {
    /// The share of the energy that the first `r` coordinates hold, from 0 to 1; 1 where all gradients
    /// were zero.
    ///
    /// ```
    /// let side = sixfold_sparsegrad::SideSpectrum { values: vec![6.0, 2.0], total: 10.0 };
    /// assert!((side.share(1) - 0.6).abs() < 1e-12 && (side.share(2) - 0.8).abs() < 1e-12);
    /// ```
    pub fn share(&self, r: usize) -> f64 {
        if self.total <= 0.0 {
            return 1.0;
        }
        (self.values.iter().take(r).sum::<f64>() / self.total).min(1.0)
    }

    /// The fewest coordinates that hold this share; `None` where those kept do not.
    pub fn rank_for(&self, share: f64) -> Option<usize> {
        (0..=self.values.len()).find(|r| self.share(*r) >= share)
    }
}
