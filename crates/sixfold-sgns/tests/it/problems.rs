//! Small problems with all that is awkward about them.

use ndarray::{Array2, ArrayView2};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sixfold_linalg::{Real, matmul, qr};
use sixfold_sgns::{Counts, Objective, ObjectiveConfig};

pub(crate) fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// A matrix of numbers in ±1/2.
pub(crate) fn uniform<T: Real>(rows: usize, columns: usize, seed: u64) -> Array2<T> {
    let mut rng = rng(seed);
    Array2::from_shape_simple_fn((rows, columns), || T::narrow(rng.random::<f64>() - 0.5))
}

/// Orthonormal columns.
pub(crate) fn orthonormal<T: Real>(rows: usize, columns: usize, seed: u64) -> Array2<T> {
    qr(uniform::<T>(rows, columns, seed).view()).unwrap().q
}

pub(crate) fn counts_of(dense: ArrayView2<'_, f64>) -> Counts {
    let (mut offsets, mut columns, mut values) = (vec![0], Vec::new(), Vec::new());
    for row in dense.rows() {
        for (j, &value) in row.iter().enumerate() {
            if value > 0.0 {
                columns.push(j as u32);
                values.push(value);
            }
        }
        offsets.push(columns.len());
    }
    Counts::from_rows(dense.ncols(), offsets, columns, values).unwrap()
}

/// Counts with a share of zeros, an empty row and an empty column.
pub(crate) fn sparse(n: usize, m: usize, share: f64, seed: u64) -> Array2<f64> {
    let mut rng = rng(seed);
    let mut dense = Array2::from_shape_simple_fn((n, m), || {
        let drawn = rng.random::<f64>() < share;
        if drawn { (rng.random::<f64>() * 20.0).ceil() } else { 0.0 }
    });
    dense.row_mut(n / 2).fill(0.0);
    dense.column_mut(m / 3).fill(0.0);
    dense
}

/// The same with D = Dᵀ.
pub(crate) fn symmetric(n: usize, share: f64, seed: u64) -> Array2<f64> {
    let x = sparse(n, n, share, seed);
    &x + &x.t()
}

/// Every count positive.
pub(crate) fn positive(n: usize, m: usize, seed: u64) -> Array2<f64> {
    uniform::<f64>(n, m, seed).mapv(|x| ((x + 0.5) * 9.0).ceil().max(1.0))
}

pub(crate) fn objective(dense: &Array2<f64>, smoothing: f64) -> Objective {
    let config = ObjectiveConfig { negatives: 5.0, smoothing };
    Objective::new(counts_of(dense.view()), &config).unwrap()
}

pub(crate) fn product<T: Real>(a: &Array2<T>, b: &Array2<T>) -> Array2<T> {
    matmul(a.view(), b.t())
}

/// The largest difference.
pub(crate) fn distance<T: Real>(a: &Array2<T>, b: &Array2<T>) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a.widen() - b.widen()).abs()).fold(0.0, f64::max)
}

pub(crate) fn widened(x: &Array2<f32>) -> Array2<f64> {
    x.mapv(f64::from)
}

/// Runs `f` on so many threads.
pub(crate) fn on_threads<R: Send>(threads: usize, f: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(f)
}
