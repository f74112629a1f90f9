//! All second moments of two matrices with the same rows.

use ndarray::{ArrayView2, Axis};

use super::block::{self, Block, Buffers};
use super::{CrossMoments, Moments};
use crate::error::same_shape;
use crate::{Error, Real, Result, ensure_finite};

/// The moments of X, of Y and of both together, in one pass.
///
/// Each block is centred and scaled once for all three.
///
/// ```
/// use ndarray::array;
/// use sixfold_linalg::PairMoments;
/// let (x, y) = (array![[1.0], [2.0], [4.0]], array![[3.0], [5.0], [9.0]]);
/// let mut pair = PairMoments::new(1, 1);
/// pair.update(x.view(), y.view())?;
/// let slope = pair.xy.cross_scatter()[(0, 0)] / pair.x.scatter()[(0, 0)];
/// assert!((slope - 2.0).abs() < 1e-12);
/// # Ok::<(), sixfold_linalg::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PairMoments {
    /// Moments of X.
    pub x: Moments,
    /// Moments of Y.
    pub y: Moments,
    /// Cross moments of X and Y.
    pub xy: CrossMoments,
}

impl PairMoments {
    /// Starts without rows, for `dx` and `dy` columns.
    pub fn new(dx: usize, dy: usize) -> Self {
        Self { x: Moments::new(dx), y: Moments::new(dy), xy: CrossMoments::new(dx, dy) }
    }

    /// Adds the rows of `x` with those of `y`.
    ///
    /// # Shapes
    /// `x` is `[n, dx]`, `y` is `[n, dy]`.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] and
    /// [`Error::NotFinite`]; the state is then unchanged.
    pub fn update<T: Real>(&mut self, x: ArrayView2<'_, T>, y: ArrayView2<'_, T>) -> Result<()> {
        let [dx, dy] = self.xy.dims();
        same_shape("x", [x.nrows(), x.ncols()], [x.nrows(), dx])?;
        same_shape("y", [y.nrows(), y.ncols()], [x.nrows(), dy])?;
        ensure_finite("x", x)?;
        ensure_finite("y", y)?;
        let (mut for_x, mut for_y, mut room) =
            (Buffers::new(dx), Buffers::new(dy), Buffers::new(0));
        let rows = x.nrows();
        let step = block::rows_of_a_block(dx.min(dy));
        for (x, y) in x.axis_chunks_iter(Axis(0), step).zip(y.axis_chunks_iter(Axis(0), step)) {
            let x = Block::new("x", x, for_x.take(rows), |_| Ok(()))?;
            let y = Block::new("y", y, for_y.take(rows), |_| Ok(()))?;
            self.x.absorb(&x, &mut room);
            self.y.absorb(&y, &mut room);
            self.xy.absorb(&x, &y, &mut room);
            for_x.give_back(x);
            for_y.give_back(y);
        }
        Ok(())
    }

    /// Adds the rows that `other` has seen.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for other numbers of columns.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        same_shape("other", other.xy.dims(), self.xy.dims())?;
        self.x.merge(&other.x)?;
        self.y.merge(&other.y)?;
        self.xy.merge(&other.xy)
    }

    /// Linear centred kernel alignment, ‖C‖²_F/(‖Gx‖_F·‖Gy‖_F) with the scatters Gx, Gy and the
    /// cross scatter C: the same number as from the n × n Gram matrices of the rows, in O(dx·dy)
    /// memory.
    ///
    /// 1 where Y is an orthogonal map of X up to scale and shift; not invariant to other maps.
    ///
    /// # Errors
    /// [`Error::ZeroVariance`] where X or Y does not vary.
    ///
    /// # References
    /// Kornblith, Norouzi, Lee, Hinton 2019, *Similarity of neural network representations
    /// revisited*, eq. 5 (arXiv 1905.00414).
    #[doc(alias = "cka")]
    pub fn linear_cka(&self) -> Result<f64> {
        linear_cka(&self.x, &self.y, &self.xy)
    }

    /// Number of rows n.
    pub fn count(&self) -> u64 {
        self.xy.count()
    }
}

/// [`PairMoments::linear_cka`] from states that are kept apart, as where neighbouring layers share one.
///
/// # Errors
/// [`Error::ZeroVariance`] where X or Y does not vary.
pub fn linear_cka(x: &Moments, y: &Moments, xy: &CrossMoments) -> Result<f64> {
    let norm = |what: &'static str, moments: &Moments| match moments.scatter_square_norm() {
        square if square > 0.0 => Ok(square.sqrt()),
        _ => Err(Error::ZeroVariance { what }),
    };
    let cross = xy.cross_scatter();
    let square: f64 = cross.iter().map(|value| value * value).sum();
    Ok(square / norm("x", x)? / norm("y", y)?)
}
