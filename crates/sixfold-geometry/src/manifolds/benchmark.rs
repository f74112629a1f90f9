//! The benchmark's manifolds, their names and their dimensions.

use std::fmt;

use ndarray::Array2;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::formulas;
use super::shapes::fill;

/// A manifold of the benchmark for estimators of intrinsic dimension.
///
/// The definitions are those that `scikit-dimension` samples in its `BenchmarkManifolds`. None of
/// them has noise.
///
/// **What to compare with.** Above ten dimensions no estimator on 2,000 points returns the true one:
/// neighbours are too far away, and boundaries are near. The README shows what each returns.
///
/// # References
/// Hein and Audibert 2005, *Intrinsic dimensionality estimation of submanifolds in R^d*, §4;
/// Campadelli, Casiraghi, Ceruti and Rozza 2015, *Intrinsic dimension estimation: relevant
/// techniques and a benchmark framework*, Table 1.
///
/// ```
/// use sixfold_geometry::manifolds::Manifold;
/// let x = Manifold::M7.sample(500, 0);
/// assert_eq!(x.dim(), (500, Manifold::M7.ambient()));
/// assert_eq!(Manifold::M7.intrinsic(), 2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[doc(alias = "BenchmarkManifolds")]
pub enum Manifold {
    /// The sphere S¹⁰ in R¹¹.
    M1,
    /// A parallelepiped of dimension 3 in R⁵: 4·A·u + b with a fixed A.
    M2,
    /// Circles of turning radius in R⁸: (p₍ᵢ₊₁₎·cos 2πpᵢ, p₍ᵢ₊₁₎·sin 2πpᵢ), i = 1…4 cyclically.
    M4,
    /// A curve that winds eight times around a torus in R³.
    M5a,
    /// A helicoid in R³: (r·cos p, r·sin p, p/2), r and p uniform on [0, 10π].
    M5b,
    /// The map of [`M4`](Self::M4) on 6 coordinates, three copies side by side, in R³⁶.
    M6,
    /// The Swiss roll in R³.
    M7,
    /// The map of [`M4`](Self::M4) on 12 coordinates, three copies side by side, in R⁷².
    M8,
    /// A full cube of 20 dimensions.
    M9,
    /// The surface of the cube in R¹¹.
    M10a,
    /// The surface of the cube in R¹⁸.
    M10b,
    /// The surface of the cube in R⁷¹.
    M10d,
    /// A Möbius band with ten half-turns in R³.
    M11,
    /// The standard normal distribution in R²⁰.
    M12,
    /// Five turns of a helix of radius 100 in R¹³.
    M13b,
    /// A non-linear image of 10 independent Beta(10, ½) variables in R⁴⁰.
    Mbeta,
    /// A non-linear image of the cube of 18 dimensions in R⁷².
    Mn1,
}

impl Manifold {
    /// All of them, in the order of the benchmark.
    pub const ALL: [Self; 17] = [
        Self::M1,
        Self::M2,
        Self::M4,
        Self::M5a,
        Self::M5b,
        Self::M6,
        Self::M7,
        Self::M8,
        Self::M9,
        Self::M10a,
        Self::M10b,
        Self::M10d,
        Self::M11,
        Self::M12,
        Self::M13b,
        Self::Mbeta,
        Self::Mn1,
    ];

    /// Its name in the benchmark: `M1`, …, `Mn1`.
    pub const fn name(self) -> &'static str {
        self.facts().0
    }

    /// What it is, in two or three words.
    pub const fn description(self) -> &'static str {
        self.facts().1
    }

    /// Its dimension.
    pub const fn intrinsic(self) -> usize {
        self.facts().2
    }

    /// The coordinates it lies in.
    pub const fn ambient(self) -> usize {
        self.facts().3
    }

    /// `n` points of it. Manifolds draw from different streams of one seed.
    ///
    /// # Shapes
    /// Returns `[n, ambient]`.
    ///
    /// # Complexity
    /// O(n · ambient).
    pub fn sample(self, n: usize, seed: u64) -> Array2<f64> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(self as u64 + 1);
        fill(n, self.ambient(), rng, |rng, i, row| match self {
            Self::M1 => formulas::sphere(rng, row),
            Self::M2 => formulas::parallelepiped(rng, row),
            Self::M4 | Self::M6 | Self::M8 => {
                formulas::turning_circles(rng, row, self.intrinsic());
            }
            Self::M5a => formulas::toroidal_helix(rng, row),
            Self::M5b => formulas::helicoid(rng, row),
            Self::M7 => formulas::swiss_roll(rng, row),
            Self::M9 => formulas::full_cube(rng, row),
            Self::M10a | Self::M10b | Self::M10d => {
                formulas::cube_surface(rng, row, i, n);
            }
            Self::M11 => formulas::moebius_band(rng, row),
            Self::M12 => formulas::normal(rng, row),
            Self::M13b => formulas::wide_helix(rng, row),
            Self::Mbeta => formulas::beta_image(rng, row),
            Self::Mn1 => formulas::tangent_image(rng, row),
        })
    }

    /// Name, description, intrinsic and ambient dimension.
    const fn facts(self) -> (&'static str, &'static str, usize, usize) {
        match self {
            Self::M1 => ("M1", "sphere", 10, 11),
            Self::M2 => ("M2", "affine", 3, 5),
            Self::M4 => ("M4", "turning circles", 4, 8),
            Self::M5a => ("M5a", "toroidal helix", 1, 3),
            Self::M5b => ("M5b", "helicoid", 2, 3),
            Self::M6 => ("M6", "turning circles", 6, 36),
            Self::M7 => ("M7", "Swiss roll", 2, 3),
            Self::M8 => ("M8", "turning circles", 12, 72),
            Self::M9 => ("M9", "full cube", 20, 20),
            Self::M10a => ("M10a", "cube surface", 10, 11),
            Self::M10b => ("M10b", "cube surface", 17, 18),
            Self::M10d => ("M10d", "cube surface", 70, 71),
            Self::M11 => ("M11", "Möbius band", 2, 3),
            Self::M12 => ("M12", "Gaussian", 20, 20),
            Self::M13b => ("M13b", "wide helix", 1, 13),
            Self::Mbeta => ("Mbeta", "Beta image", 10, 40),
            Self::Mn1 => ("Mn1", "tangent image", 18, 72),
        }
    }
}

impl fmt::Display for Manifold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name(), self.description())
    }
}
