//! The streaming state of a cloud of points.

use ndarray::{Array1, ArrayView1, ArrayView2, Axis};
use sixfold_linalg::{Directions, Moments, Real, ensure_finite, lanczos_largest};

use crate::{Error, Result};

/// Relative residual at which the largest eigenvalue is accepted: its error is the square of it
/// in units of the gap below, and never above it.
const TOLERANCE: f64 = 1e-7;

/// Products with the scatter before the full spectrum is cheaper.
const MAX_PRODUCTS: usize = 320;

/// Rows of a block: what [`Moments`] multiplies at once.
const ROWS: usize = 1024;

/// What happens to a point before its variance is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RowNorm {
    /// Nothing: the scores of the paper and of its code.
    #[default]
    None,
    /// It is divided by its norm, so that long points count no more than short ones. Some libraries
    /// call this the canonical variant; its numbers are other numbers. Points at zero have no
    /// direction and are left out.
    L2,
}

impl RowNorm {
    /// `none` or `l2`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::L2 => "l2",
        }
    }
}

/// First and second moments of a cloud of points, and their norms and directions, in one pass.
///
/// Rows come in blocks of any size and type; states of disjoint sets of points
/// [`merge`](Self::merge). Blocks of f32 are multiplied in f32 about their own mean and merged in
/// f64: the result depends on neither the cut into blocks nor the distance from the origin.
///
/// # Complexity
/// n·d·(d + 64) operations in the type of the points; memory 8·d² bytes, whatever n.
///
/// ```
/// use ndarray::array;
/// use sixfold_geometry::cloud::Cloud;
///
/// let mut cloud = Cloud::new(2);
/// cloud.update(array![[3.0, 0.0], [-3.0, 0.0]].view())?;
/// cloud.update(array![[0.0, 1.0], [0.0, -1.0]].view())?;
/// assert!((cloud.anisotropy()? - 0.9).abs() < 1e-12);
/// assert!((cloud.spread()?.participation_ratio - 100.0 / 82.0).abs() < 1e-12);
/// # Ok::<(), sixfold_geometry::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Cloud {
    moments: Moments,
    directions: Directions,
    row_norm: RowNorm,
    /// Whether some products were formed in f32.
    single: bool,
}

impl Cloud {
    /// Starts without points, for `d` coordinates.
    pub fn new(d: usize) -> Self {
        Self::with_row_norm(d, RowNorm::None)
    }

    /// Starts without points; they will be normalised as `row_norm` says.
    pub fn with_row_norm(d: usize, row_norm: RowNorm) -> Self {
        Self { moments: Moments::new(d), directions: Directions::new(d), row_norm, single: false }
    }

    /// A cloud of which both parts were streamed elsewhere, by a tap say, with products in f32.
    /// With [`RowNorm::L2`], `moments` are those of the unit vectors and `directions` those of
    /// the points as they came.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] where they do not count the same points of the same coordinates.
    pub fn from_streamed(
        moments: Moments,
        directions: Directions,
        row_norm: RowNorm,
    ) -> Result<Self> {
        let points = match row_norm {
            RowNorm::None => directions.count(),
            RowNorm::L2 => directions.directed(),
        };
        let expected = [moments.count() as usize, moments.dim()];
        let found = [points as usize, directions.dim()];
        if found != expected {
            return Err(Error::ShapeMismatch { what: "directions", expected, found });
        }
        Ok(Self { moments, directions, row_norm, single: true })
    }

    /// Adds the rows of `x`.
    ///
    /// # Shapes
    /// `x` is `[n, d]`, any n ≥ 0, any strides.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for another number of coordinates, [`Error::NotFinite`] for a NaN
    /// or an infinity; the state is then unchanged.
    pub fn update<T: Real>(&mut self, x: ArrayView2<'_, T>) -> Result<()> {
        if x.ncols() != self.dim() {
            let (expected, found) = ([x.nrows(), self.dim()], [x.nrows(), x.ncols()]);
            return Err(Error::ShapeMismatch { what: "points", expected, found });
        }
        if x.nrows() <= ROWS {
            let before = self.directions.clone();
            return self.add(x).map_err(|error| {
                self.directions = before;
                points(error)
            });
        }
        // A state of their own, so that a value found late leaves this one as it is.
        let mut added = Self::with_row_norm(self.dim(), self.row_norm);
        added.add(x).map_err(points)?;
        if self.count() == 0 && self.directions.count() == 0 {
            *self = added;
            return Ok(());
        }
        self.merge(&added)
    }

    /// Adds rows; an error in the first block leaves the moments alone.
    fn add<T: Real>(&mut self, x: ArrayView2<'_, T>) -> sixfold_linalg::Result<()> {
        let Self { moments, directions, .. } = self;
        match self.row_norm {
            // Both read the rows while they are in the cache.
            RowNorm::None => moments.update_with(x, |rows| directions.update(rows))?,
            RowNorm::L2 => {
                ensure_finite("points", x)?;
                directions.update(x)?;
                for rows in x.axis_chunks_iter(Axis(0), ROWS) {
                    moments.update(units(rows).view())?;
                }
            }
        }
        self.single |= T::EPSILON > f64::EPSILON && x.nrows() > 0;
        Ok(())
    }

    /// Adds the points that `other` has seen.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for another number of coordinates, [`Error::InvalidParameter`]
    /// for another normalisation.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        if other.dim() != self.dim() {
            let (expected, found) = ([1, self.dim()], [1, other.dim()]);
            return Err(Error::ShapeMismatch { what: "other cloud", expected, found });
        }
        if other.row_norm != self.row_norm {
            return Err(Error::InvalidParameter {
                name: "row_norm",
                found: f64::from(u8::from(other.row_norm == RowNorm::L2)),
                expected: "the same in both clouds (0: none, 1: l2)",
            });
        }
        self.moments.merge(&other.moments)?;
        self.directions.merge(&other.directions)?;
        self.single |= other.single;
        Ok(())
    }

    /// Number of coordinates d.
    pub fn dim(&self) -> usize {
        self.moments.dim()
    }

    /// Number of points n whose variance is measured: with [`RowNorm::L2`] those that have a
    /// direction.
    pub fn count(&self) -> u64 {
        self.moments.count()
    }

    /// How points are normalised.
    pub fn row_norm(&self) -> RowNorm {
        self.row_norm
    }

    /// The moments.
    pub fn moments(&self) -> &Moments {
        &self.moments
    }

    /// Norms and directions of the points as they came.
    pub fn directions(&self) -> &Directions {
        &self.directions
    }

    /// Whether some products were formed in f32, as f32 points are.
    pub fn is_single(&self) -> bool {
        self.single
    }

    /// Anisotropy λ₁/Σλ: the share of the variance along the first principal direction, from 1/d
    /// where all directions are equal to 1 where there is only one.
    ///
    /// With centred points it is σ₁²/Σσ² of their singular values. The largest eigenvalue is found
    /// by Lanczos' iteration, without the others.
    ///
    /// # Errors
    /// [`Error::TooFewPoints`] for fewer than three points, [`Error::AllEqual`].
    ///
    /// # Complexity
    /// A few dozen products with the scatter, d² operations each.
    ///
    /// # References
    /// Razzhigaev et al. 2024, *The Shape of Learning*, §3 (arXiv 2311.05928).
    #[doc(alias = "explained_variance_ratio")]
    pub fn anisotropy(&self) -> Result<f64> {
        let total = self.variance("anisotropy")?;
        match lanczos_largest(&self.moments, TOLERANCE, MAX_PRODUCTS) {
            Ok(largest) => Ok(largest.value / total),
            // Many directions as long as the first one: rather all of them than an error.
            Err(sixfold_linalg::Error::NoConvergence { .. }) => Ok(self.eigenvalues()?[0] / total),
            Err(error) => Err(error.into()),
        }
    }

    /// NESum Σλ/λ₁: the inverse of [`anisotropy`](Self::anisotropy).
    ///
    /// # Errors
    /// Those of [`anisotropy`](Self::anisotropy).
    pub fn nesum(&self) -> Result<f64> {
        Ok(1.0 / self.anisotropy()?)
    }

    /// Participation ratio (Σλ)²/Σλ² = tr(S)²/‖S‖²_F: how many directions carry the variance.
    ///
    /// # Errors
    /// [`Error::TooFewPoints`] for fewer than three points, [`Error::AllEqual`].
    ///
    /// # Complexity
    /// d² operations.
    #[doc(alias = "effective_dimension")]
    pub fn participation_ratio(&self) -> Result<f64> {
        let total = self.variance("participation ratio")?;
        Ok(total * total / self.moments.scatter_square_norm())
    }

    /// IsoScore, which is (PR − 1)/(d − 1): 0 for a line, 1 where all directions are equal.
    ///
    /// # Errors
    /// Those of [`participation_ratio`](Self::participation_ratio), and
    /// [`Error::InvalidParameter`] for one coordinate, which has no other to be equal to.
    ///
    /// # References
    /// Rudman, Gillman, Rayne, Eickhoff 2022, *IsoScore*, §4 (arXiv 2108.07344); the closed form
    /// follows from their steps 4 to 7.
    pub fn iso_score(&self) -> Result<f64> {
        let ratio = self.participation_ratio()?;
        super::spread::iso_score(ratio, self.dim()).ok_or(Error::InvalidParameter {
            name: "coordinates",
            found: self.dim() as f64,
            expected: "at least 2 for an IsoScore",
        })
    }

    /// The variances along all principal directions, the largest first, `[d]`: the eigenvalues of
    /// the covariance with n − 1.
    ///
    /// # Errors
    /// [`Error::TooFewPoints`] for fewer than three points, [`Error::AllEqual`].
    ///
    /// # Complexity
    /// 4/3·d³ operations.
    pub fn spectrum(&self) -> Result<Array1<f64>> {
        self.variance("spectrum")?;
        Ok(self.eigenvalues()? / (self.count() - 1) as f64)
    }

    /// Eigenvalues of the scatter, none negative.
    pub(super) fn eigenvalues(&self) -> Result<Array1<f64>> {
        let values = sixfold_linalg::eigvalsh(self.moments.scatter().view())?;
        Ok(values.mapv(|value| value.max(0.0)))
    }

    /// The trace of the scatter, where it means something.
    pub(super) fn variance(&self, what: &'static str) -> Result<f64> {
        let n = self.count() as usize;
        if n < 3 {
            return Err(Error::TooFewPoints { what, found: n, needed: 3 });
        }
        let total = self.moments.total_variance();
        let mean = self.moments.mean()?;
        // Equal points in f64 leave the rounding of their mean behind.
        let rounding = 8.0 * f64::EPSILON;
        if total <= n as f64 * rounding * rounding * mean.dot(&mean) {
            return Err(Error::AllEqual { what, n });
        }
        Ok(total)
    }

    /// All parts, to be stored.
    pub(super) fn parts(&self) -> (&Moments, &Directions, RowNorm, bool) {
        (&self.moments, &self.directions, self.row_norm, self.single)
    }

    /// The cloud of stored parts.
    pub(super) fn restore(
        moments: Moments,
        directions: Directions,
        row_norm: RowNorm,
        single: bool,
    ) -> Result<Self> {
        Ok(Self { single, ..Self::from_streamed(moments, directions, row_norm)? })
    }
}

/// Names the caller's argument in errors about values.
fn points(error: sixfold_linalg::Error) -> Error {
    match error {
        sixfold_linalg::Error::NotFinite { row, col, .. } => {
            Error::NotFinite { what: "points", row, col }
        }
        error => error.into(),
    }
}

/// The rows that have a direction, at norm 1.
fn units<T: Real>(x: ArrayView2<'_, T>) -> ndarray::Array2<T> {
    let norm =
        |row: ArrayView1<'_, T>| row.iter().map(|x| x.widen() * x.widen()).sum::<f64>().sqrt();
    let norms: Vec<f64> = x.rows().into_iter().map(norm).collect();
    let directed: Vec<usize> = (0..x.nrows()).filter(|&row| norms[row] > 0.0).collect();
    let mut units = x.select(Axis(0), &directed);
    for (mut unit, &row) in units.rows_mut().into_iter().zip(&directed) {
        unit.mapv_inplace(|x| T::narrow(x.widen() / norms[row]));
    }
    units
}
