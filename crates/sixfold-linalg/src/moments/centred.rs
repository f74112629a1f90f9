//! A block of rows that is centred once and counted by several states.

use ndarray::Array2;

use super::block::{Block, Buffers};
use super::{CrossMoments, Moments};
use crate::error::same_shape;
use crate::{Real, Result};

/// Rows that are centred about their mean and scaled, ready to be counted.
///
/// Where a matrix has moments of its own and cross moments with others, as a layer has with the
/// layers before and after it, its rows need to be centred only once:
/// [`Moments::add_centred`], [`CrossMoments::add_centred`].
///
/// ```
/// use ndarray::array;
/// use sixfold_linalg::{Centred, CrossMoments, Moments, Products};
/// let x = Centred::new(array![[1.0_f32], [2.0], [4.0]])?;
/// let y = Centred::new(array![[3.0_f32], [5.0], [9.0]])?;
/// let (mut of_x, mut of_xy) = (Moments::new(1), CrossMoments::new(1, 1));
/// let mut room = Products::default();
/// of_x.add_centred(&x, &mut room)?;
/// of_xy.add_centred(&x, &y, &mut room)?;
/// assert!((of_xy.cross_scatter()[(0, 0)] / of_x.scatter()[(0, 0)] - 2.0).abs() < 1e-6);
/// # Ok::<(), sixfold_linalg::Error>(())
/// ```
#[derive(Debug)]
pub struct Centred<T>(Block<T>);

/// Room for the products of blocks, kept from one to the next.
#[derive(Debug)]
pub struct Products<T>(Buffers<T>);

impl<T: Real> Centred<T> {
    /// Centres and scales rows in their place.
    ///
    /// Sums run in the type of the rows: about a thousand rows of f32 keep five digits.
    ///
    /// # Errors
    /// [`Error::NotFinite`](crate::Error::NotFinite).
    pub fn new(rows: Array2<T>) -> Result<Self> {
        let rows = match rows.is_standard_layout() {
            true => rows,
            false => rows.as_standard_layout().into_owned(),
        };
        Block::in_place("x", rows).map(Self)
    }

    /// Number of rows, and of columns.
    pub fn dim(&self) -> (usize, usize) {
        (self.0.rows() as usize, self.0.scale.len())
    }

    /// The memory of the rows, whose values are the centred ones.
    pub fn into_inner(self) -> Array2<T> {
        self.0.into_rows()
    }
}

impl<T: Real> Default for Products<T> {
    fn default() -> Self {
        Self(Buffers::new(0))
    }
}

impl Moments {
    /// Adds rows that are centred already.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`](crate::Error::ShapeMismatch) for another number of columns.
    pub fn add_centred<T: Real>(
        &mut self,
        rows: &Centred<T>,
        room: &mut Products<T>,
    ) -> Result<()> {
        let (n, d) = rows.dim();
        same_shape("rows", [n, d], [n, self.dim()])?;
        if n > 0 {
            self.absorb(&rows.0, &mut room.0);
        }
        Ok(())
    }
}

impl CrossMoments {
    /// Adds rows of X and Y that are centred already.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`](crate::Error::ShapeMismatch).
    pub fn add_centred<T: Real>(
        &mut self,
        x: &Centred<T>,
        y: &Centred<T>,
        room: &mut Products<T>,
    ) -> Result<()> {
        let ([dx, dy], (n, _)) = (self.dims(), x.dim());
        same_shape("x", [n, x.dim().1], [n, dx])?;
        same_shape("y", [y.dim().0, y.dim().1], [n, dy])?;
        if n > 0 {
            self.absorb(&x.0, &y.0, &mut room.0);
        }
        Ok(())
    }
}
