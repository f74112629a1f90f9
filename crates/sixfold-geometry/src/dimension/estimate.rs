//! What an estimator returns: the number, how sure it is, and what it was made of.

use std::fmt;

/// An estimate of the intrinsic dimension.
#[derive(Clone, Debug, PartialEq)]
pub struct Dimension {
    /// The estimate.
    pub value: f64,
    /// Its standard error; `None` where the method has none.
    pub std_error: Option<f64>,
    /// 95 % interval; `None` where the method has none.
    pub ci95: Option<[f64; 2]>,
    /// Points that the estimate is made of.
    pub n: usize,
    /// Points left out because they, or the neighbours that are compared, have copies.
    pub excluded: usize,
    /// Median distance at which the cloud was looked at, in the units of the points.
    pub scale: f64,
    /// What a reader of the number has to know.
    pub cautions: Vec<Caution>,
}

/// Why a number should be read with care.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Caution {
    /// Points were left out because they, or the neighbours that are compared, have copies.
    Duplicates {
        /// How many.
        excluded: usize,
        /// Of how many.
        of: usize,
    },
    /// Points that have a copy among the others were counted like all others.
    Copies {
        /// How many.
        points: usize,
        /// Of how many.
        of: usize,
    },
    /// Points were left out because their distances do not differ: an infinite dimension.
    Ties {
        /// How many.
        excluded: usize,
        /// Of how many.
        of: usize,
    },
    /// There are fewer points than the estimate needs to be told from a larger dimension: an
    /// estimate near log₂ n is a lower bound.
    FewPoints {
        /// Points.
        n: usize,
        /// The estimate.
        dimension: f64,
    },
    /// There are no more points than coordinates: spectral scores cannot fill the space.
    FewerPointsThanCoordinates {
        /// Points.
        n: usize,
        /// Coordinates.
        d: usize,
    },
    /// Points at zero have no direction: they are not part of a mean cosine, nor of a cloud of
    /// unit vectors.
    NoDirection {
        /// How many.
        zeros: usize,
        /// Of how many.
        of: usize,
    },
}

impl Caution {
    /// What to say of an estimate `value` from `n` points, `excluded` further ones left out.
    ///
    /// A ball whose radius shrinks by e holds e^d fewer points, so estimates from neighbours sink
    /// below the dimension as it nears log₂ n: by a tenth at 0.9·log₂ n on cubes and Gaussians.
    pub(crate) fn of_estimate(value: f64, n: usize, excluded: usize) -> Vec<Self> {
        let mut found = Vec::new();
        if excluded > 0 {
            found.push(Self::Duplicates { excluded, of: n + excluded });
        }
        if value > 0.9 * (n as f64).log2() {
            found.push(Self::FewPoints { n, dimension: value });
        }
        found
    }
}

impl fmt::Display for Caution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicates { excluded, of } => {
                write!(f, "{excluded} of {of} points were left out for copies among them")
            }
            Self::Copies { points, of } => {
                write!(f, "{points} of {of} points have a copy, which makes the number smaller")
            }
            Self::Ties { excluded, of } => write!(
                f,
                "{excluded} of {of} points have neighbours at one distance only and were left out"
            ),
            Self::FewPoints { n, dimension } => write!(
                f,
                "{n} points are few for a dimension near {dimension:.0}: read it as a lower bound"
            ),
            Self::FewerPointsThanCoordinates { n, d } => {
                write!(
                    f,
                    "{n} points in {d} coordinates span at most {} of them",
                    n.saturating_sub(1)
                )
            }
            Self::NoDirection { zeros, of } => {
                write!(f, "{zeros} of {of} points are zero and have no direction")
            }
        }
    }
}
