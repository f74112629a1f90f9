//! Numbers and plain loops that the oracles share.

use ndarray::{Array2, ArrayView2};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub(crate) fn generator(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Numbers between −1 and 1.
pub(crate) fn random(rows: usize, columns: usize, seed: u64) -> Array2<f32> {
    let mut generator = generator(seed);
    Array2::from_shape_simple_fn((rows, columns), || generator.random_range(-1.0..1.0))
}

pub(crate) fn wide(a: ArrayView2<'_, f32>) -> Array2<f64> {
    a.mapv(f64::from)
}

/// A·B by three loops.
pub(crate) fn times(a: &Array2<f64>, b: &Array2<f64>) -> Array2<f64> {
    let mut c = Array2::zeros((a.nrows(), b.ncols()));
    for i in 0..a.nrows() {
        for p in 0..a.ncols() {
            for j in 0..b.ncols() {
                c[(i, j)] += a[(i, p)] * b[(p, j)];
            }
        }
    }
    c
}

pub(crate) fn transposed(a: &Array2<f64>) -> Array2<f64> {
    a.t().as_standard_layout().into_owned()
}

/// ‖A − B‖/‖B‖
pub(crate) fn relative(found: ArrayView2<'_, f32>, expected: &Array2<f64>) -> f64 {
    let norm = |a: &Array2<f64>| a.iter().map(|x| x * x).sum::<f64>().sqrt();
    norm(&(wide(found) - expected)) / norm(expected).max(1e-300)
}

/// `f` with one, two and three threads.
pub(crate) fn by_threads<R: Send>(f: impl Fn() -> R + Sync) -> Vec<R> {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(&f)
    };
    vec![run(1), run(2), run(3)]
}

pub(crate) fn bits<'a>(values: impl IntoIterator<Item = &'a f32>) -> Vec<u32> {
    values.into_iter().map(|x| x.to_bits()).collect()
}
