//! Matrices of many kinds and scales, and how far results are from an identity.

use ndarray::{Array1, Array2, Axis};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sixfold_linalg::Real;

/// What is asked of results in f64, and of results rounded to f32.
pub(crate) const DOUBLE: f64 = 1e-12;
pub(crate) const SINGLE: f64 = 1e-6;

/// 64 cases from a fixed seed, unless `PROPTEST_CASES` or `PROPTEST_RNG_SEED` say otherwise.
pub(crate) fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    ProptestConfig {
        cases: if asked { default.cases } else { 64 },
        rng_seed: match default.rng_seed {
            RngSeed::Random => RngSeed::Fixed(20_261_124),
            fixed @ RngSeed::Fixed(_) => fixed,
        },
        // Every failure can be had again from the seed.
        failure_persistence: None,
        ..default
    }
}

/// How a matrix is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Independent entries between −1 and 1.
    Dense,
    /// A product of two thin matrices: see [`Case::rank`].
    LowRank,
    Zero,
    /// All entries the same: rank 1, and equal columns.
    Constant,
    /// Columns fall by 24 orders of magnitude, rows by 12.
    Graded,
    /// Magnitudes anywhere in 20 orders.
    Spread,
    /// Three different columns (or eigenvalues), over and over.
    Repeated,
    /// Four of five entries are zero.
    Sparse,
}

const KINDS: [Kind; 8] = [
    Kind::Dense,
    Kind::LowRank,
    Kind::Zero,
    Kind::Constant,
    Kind::Graded,
    Kind::Spread,
    Kind::Repeated,
    Kind::Sparse,
];

/// A matrix by its recipe, which is what a failing test prints.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) m: usize,
    pub(crate) n: usize,
    pub(crate) kind: Kind,
    /// Entries are multiplied by ten to this power.
    pub(crate) exponent: i32,
    pub(crate) seed: u64,
}

/// All kinds, sides of 1 to 64, scales of 1e±150.
pub(crate) fn cases() -> impl Strategy<Value = Case> {
    of_kinds(&KINDS)
}

/// Some kinds only, for identities that hold for these.
pub(crate) fn of_kinds(kinds: &'static [Kind]) -> impl Strategy<Value = Case> {
    let exponents = prop_oneof![Just(0), Just(-150), Just(150), -150..=150];
    let kinds = prop::sample::select(kinds);
    (1..=64_usize, 1..=64_usize, kinds, exponents, any::<u64>())
        .prop_map(|(m, n, kind, exponent, seed)| Case { m, n, kind, exponent, seed })
}

impl Case {
    /// Another sequence of random numbers for each `stream`.
    pub(crate) fn rng(&self, stream: u64) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(stream);
        rng
    }

    pub(crate) fn scale(&self) -> f64 {
        10_f64.powi(self.exponent)
    }

    /// The rank of a [`Kind::LowRank`] matrix, less than full where the sides allow it.
    pub(crate) fn rank(&self) -> usize {
        1 + (self.seed % 64) as usize * (self.m.min(self.n) - 1) / 64
    }

    /// `[m, n]`, its entries near [`Case::scale`].
    pub(crate) fn matrix(&self) -> Array2<f64> {
        let (m, n) = (self.m, self.n);
        let mut rng = self.rng(0);
        let a = match self.kind {
            Kind::Dense => uniform(m, n, &mut rng),
            Kind::LowRank => {
                let r = self.rank();
                uniform(m, r, &mut rng).dot(&uniform(r, n, &mut rng))
            }
            Kind::Zero => Array2::zeros((m, n)),
            Kind::Constant => Array2::from_elem((m, n), rng.random::<f64>() + 0.1),
            Kind::Graded => {
                let mut a = uniform(m, n, &mut rng);
                a *= &decades(24.0, n);
                a *= &decades(12.0, m).insert_axis(Axis(1));
                a
            }
            Kind::Spread => {
                uniform(m, n, &mut rng).mapv_into(|x| x * 10_f64.powf(-20.0 * rng.random::<f64>()))
            }
            Kind::Repeated => {
                let a = uniform(m, 3, &mut rng);
                Array2::from_shape_fn((m, n), |(i, j)| a[(i, j % 3)])
            }
            Kind::Sparse => uniform(m, n, &mut rng)
                .mapv_into(|x| if rng.random::<f64>() < 0.8 { 0.0 } else { x }),
        };
        a * self.scale()
    }

    /// [`Case::matrix`] in f32, with scales of 1e±30.
    pub(crate) fn single(&self) -> Array2<f32> {
        Self { exponent: self.exponent / 5, ..*self }.matrix().mapv(|x| x as f32)
    }

    /// `[n, n]`, symmetric, in general neither positive nor negative.
    pub(crate) fn symmetric(&self) -> Array2<f64> {
        let n = self.n;
        let square = Self { m: n, exponent: 0, ..*self };
        let a = match self.kind {
            Kind::LowRank => {
                let half = uniform(n, square.rank(), &mut self.rng(0));
                let signs = Array1::from_shape_fn(half.ncols(), |i| [1.0, -1.0, 0.5][i % 3]);
                (&half * &signs).dot(&half.t())
            }
            Kind::Graded => {
                let d = decades(24.0, n);
                let a = uniform(n, n, &mut self.rng(0));
                &(&a * &d) * &d.view().insert_axis(Axis(1))
            }
            Kind::Repeated => {
                // I − 2vvᵀ/vᵀv turns the three eigenvalues out of the axes.
                let v = uniform(n, 1, &mut self.rng(0)) + 0.01;
                let h = Array2::<f64>::eye(n)
                    - v.dot(&v.t()) * (2.0 / v.iter().map(|x| x * x).sum::<f64>());
                let values = Array1::from_shape_fn(n, |i| [2.0, -1.0, 0.0][i % 3]);
                (&h * &values).dot(&h)
            }
            _ => square.matrix(),
        };
        (&a + &a.t()) * (0.5 * self.scale())
    }
}

/// Independent entries between −1 and 1.
pub(crate) fn uniform(m: usize, n: usize, rng: &mut ChaCha8Rng) -> Array2<f64> {
    Array2::from_shape_simple_fn((m, n), || 2.0 * rng.random::<f64>() - 1.0)
}

/// A random orthogonal matrix: a product of reflections, so that no function under test is used.
pub(crate) fn rotation(n: usize, rng: &mut ChaCha8Rng) -> Array2<f64> {
    let mut q = Array2::<f64>::eye(n);
    for _ in 0..n.min(12) {
        let v = uniform(n, 1, rng) + 0.01;
        let scale = 2.0 / v.iter().map(|x| x * x).sum::<f64>();
        q = &q - &(q.dot(&v).dot(&v.t()) * scale);
    }
    q
}

/// From 1 down by that many orders of magnitude.
fn decades(orders: f64, n: usize) -> Array1<f64> {
    Array1::from_shape_fn(n, |i| 10_f64.powf(-orders * i as f64 / n as f64))
}

pub(crate) fn widen<T: Real>(a: &Array2<T>) -> Array2<f64> {
    a.mapv(T::widen)
}

/// The largest magnitude; NaN where there is one.
pub(crate) fn largest<'a>(values: impl IntoIterator<Item = &'a f64>) -> f64 {
    values.into_iter().fold(0.0, |m: f64, x| if x.abs() > m || x.is_nan() { x.abs() } else { m })
}

/// The Frobenius norm, for scales up to 1e±300.
pub(crate) fn norm<'a>(values: impl IntoIterator<Item = &'a f64> + Clone) -> f64 {
    let unit = largest(values.clone());
    if unit == 0.0 {
        return 0.0;
    }
    values.into_iter().map(|x| (x / unit) * (x / unit)).sum::<f64>().sqrt() * unit
}

/// ‖found − expected‖ / ‖expected‖ in the Frobenius norm; 0 where both are 0.
pub(crate) fn error(found: &Array2<f64>, expected: &Array2<f64>) -> f64 {
    assert_eq!(found.dim(), expected.dim());
    let (difference, size) = (norm(&(found - expected)), norm(expected));
    if difference == 0.0 { 0.0 } else { difference / size }
}

/// [`error`] for vectors.
pub(crate) fn vector_error(found: &Array1<f64>, expected: &Array1<f64>) -> f64 {
    error(&found.clone().insert_axis(Axis(0)), &expected.clone().insert_axis(Axis(0)))
}

/// Loss of orthogonality of the columns in units of n: ‖QᵀQ − I‖_F / n.
pub(crate) fn departure(q: &Array2<f64>) -> f64 {
    let n = q.ncols();
    norm(&(q.t().dot(q) - Array2::<f64>::eye(n))) / n as f64
}

pub(crate) fn descends(values: &Array1<f64>) -> bool {
    values.iter().zip(values.iter().skip(1)).all(|(a, b)| a >= b)
}
