//! The coordinates in which a gradient is sparse.

mod apply;
mod calibration;
mod gram;
mod make;
mod rotate;
mod spectrum;

pub use apply::Update;
#[cfg(feature = "model")]
pub(crate) use apply::add_rotated;
pub use calibration::GramCalibration;
pub use spectrum::{SideSpectrum, Spectrum};

use ndarray::Array2;

/// Coordinates of both sides of a weight matrix.
///
/// W is stored as burn does, `[d_in, d_out]` with y = x·W + b. With U for the inputs and V for the
/// outputs, a gradient G has the core C = Uᵀ·G·V, and an update S of the core changes the weights by
/// U·S·Vᵀ.
#[derive(Clone, Debug, PartialEq)]
pub struct Basis {
    /// U, `[d_in, r_in]`.
    pub input: Side,
    /// V, `[d_out, r_out]`.
    pub output: Side,
}

/// Orthonormal coordinates of one side.
#[derive(Clone, Debug, PartialEq)]
pub enum Side {
    /// The features themselves, d of them.
    Identity(usize),
    /// Columns of unit length, `[d, r]`, r ≤ d.
    Columns(Array2<f32>),
}

impl Basis {
    /// Shape of the core, `[r_in, r_out]`.
    pub fn core(&self) -> [usize; 2] {
        [self.input.rank(), self.output.rank()]
    }

    /// Shape of the weights, `[d_in, d_out]`.
    pub fn weights(&self) -> [usize; 2] {
        [self.input.width(), self.output.width()]
    }
}

impl Side {
    /// Features, d.
    pub fn width(&self) -> usize {
        match self {
            Self::Identity(d) => *d,
            Self::Columns(columns) => columns.nrows(),
        }
    }

    /// Coordinates kept, r.
    pub fn rank(&self) -> usize {
        match self {
            Self::Identity(d) => *d,
            Self::Columns(columns) => columns.ncols(),
        }
    }

    /// The columns; `None` for the features themselves.
    pub fn columns(&self) -> Option<&Array2<f32>> {
        match self {
            Self::Identity(_) => None,
            Self::Columns(columns) => Some(columns),
        }
    }
}
