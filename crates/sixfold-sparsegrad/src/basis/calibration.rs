//! Bases from gradients that are seen once and not kept.

use ndarray::ArrayView2;

use crate::basis::gram::Gram;
use crate::basis::{Basis, Side, SideSpectrum, Spectrum};
use crate::{Error, Result};

/// Gathers what the gradients of one matrix, or of all matrices of a type, have in common.
///
/// The factors of the higher-order SVD of gradients G₁ … G_S stacked along a third axis are the
/// eigenvectors of Σ G·Gᵀ (inputs) and Σ Gᵀ·G (outputs). Both sums are all that is kept. Matrices that
/// share a basis are fed to the same object, or to several that are merged.
///
/// # Complexity
/// d_in·d_out·(d_in + d_out) operations per gradient, half of a rotation of it; 4·(d_in² + d_out²) bytes,
/// whatever the number of gradients. Sums are f64, so that no number of gradients wears them down.
///
/// # References
/// SparseGrad, section 3.1; De Lathauwer, De Moor, Vandewalle 2000, *A multilinear singular value
/// decomposition*, property 9 (factors from Gram matrices).
///
/// ```
/// use ndarray::array;
/// use sixfold_sparsegrad::GramCalibration;
/// let mut calibration = GramCalibration::new(2, 3);
/// // Gradients of rank 1 in one direction and another.
/// calibration.add(array![[0.0, 0.0, 0.0], [3.0, 0.0, 4.0]].view())?;
/// calibration.add(array![[0.0, 0.0, 0.0], [6.0, 0.0, 8.0]].view())?;
/// let basis = calibration.finish(1, 1)?;
/// let core = basis.rotate(array![[0.0, 0.0, 0.0], [3.0, 0.0, 4.0]].view())?;
/// assert!((core[(0, 0)] - 5.0).abs() < 1e-6);
/// # Ok::<(), sixfold_sparsegrad::Error>(())
/// ```
#[doc(alias = "hosvd")]
#[doc(alias = "tucker")]
#[derive(Clone, Debug, PartialEq)]
pub struct GramCalibration {
    input: Gram,
    output: Gram,
    count: u64,
}

impl GramCalibration {
    /// Starts without gradients, for matrices `[d_in, d_out]`.
    pub fn new(d_in: usize, d_out: usize) -> Self {
        Self { input: Gram::new(d_in), output: Gram::new(d_out), count: 0 }
    }

    /// Shape of the matrices, `[d_in, d_out]`.
    pub fn weights(&self) -> [usize; 2] {
        [self.input.d, self.output.d]
    }

    /// Adds a gradient.
    ///
    /// # Shapes
    /// `gradient` is `[d_in, d_out]`, any strides.
    ///
    /// # Errors
    /// [`Error::Shape`], and [`Error::NotFinite`] with the first such entry; the state is then unchanged.
    pub fn add(&mut self, gradient: ArrayView2<'_, f32>) -> Result<()> {
        self.fits("gradient", [gradient.nrows(), gradient.ncols()])?;
        // The magnitude of a finite number orders as its bits do.
        let bits = gradient.iter().fold(0, |most: u32, x| most.max(x.to_bits() & 0x7fff_ffff));
        if bits >= 0x7f80_0000 {
            let index = gradient.iter().position(|x| !x.is_finite()).unwrap_or_default();
            return Err(Error::NotFinite { path: String::new(), what: "gradient", index });
        }
        self.count += 1;
        if bits > 0 {
            let exponent = (bits >> 23) as i32 - 127;
            self.input.add(gradient.t(), exponent);
            self.output.add(gradient, exponent);
        }
        Ok(())
    }

    /// Adds the gradients that `other` has seen.
    ///
    /// # Errors
    /// [`Error::Shape`] for matrices of another shape.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        self.fits("calibration", other.weights())?;
        self.input.merge(&other.input);
        self.output.merge(&other.output);
        self.count += other.count;
        Ok(())
    }

    /// Gradients seen.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The `r_in` and `r_out` leading coordinates of each side.
    ///
    /// Signs are such that the entry of the largest magnitude in each column is positive.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] before the first gradient and for ranks outside 1 ≤ r ≤ d;
    /// [`Error::Linalg`] where a decomposition fails.
    ///
    /// # Complexity
    /// A side of d > 512 with 4·r ≤ d by subspace iteration: about 5·(2·d²·r) operations, and memory of
    /// O(d·r) only. All else by a full decomposition in f64: 9·d³ operations and about 32·d² bytes.
    pub fn finish(&self, r_in: usize, r_out: usize) -> Result<Basis> {
        Ok(self.finish_with_spectrum(r_in, r_out)?.0)
    }

    /// [`Self::finish`], and how much of the gradients' energy the coordinates hold.
    ///
    /// # Errors
    /// Those of [`Self::finish`].
    pub fn finish_with_spectrum(&self, r_in: usize, r_out: usize) -> Result<(Basis, Spectrum)> {
        if self.count == 0 {
            let (name, expected) = ("gradients", "at least one");
            return Err(Error::InvalidParameter { name, found: 0.0, expected });
        }
        let (input, of_input) = side(&self.input, "r_in", r_in)?;
        let (output, of_output) = side(&self.output, "r_out", r_out)?;
        Ok((Basis { input, output }, Spectrum { input: of_input, output: of_output }))
    }

    fn fits(&self, what: &'static str, found: [usize; 2]) -> Result<()> {
        crate::error::same_shape(what, self.weights(), found)
    }
}

fn side(gram: &Gram, name: &'static str, r: usize) -> Result<(Side, SideSpectrum)> {
    super::make::rank_in(name, r, gram.d)?;
    let found = gram.leading(r)?;
    let spectrum = SideSpectrum { values: found.values, total: gram.trace() };
    Ok((Side::Columns(found.vectors), spectrum))
}
