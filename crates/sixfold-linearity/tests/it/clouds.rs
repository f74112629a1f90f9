//! Random matrices, and the scores of a pair of them.

use ndarray::{Array2, ArrayView2};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use sixfold_linalg::{PairMoments, Real};
use sixfold_linearity::{Linearity, Transition};

/// Independent standard normal entries.
pub(crate) fn normal(n: usize, d: usize, seed: u64) -> Array2<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Array2::from_shape_simple_fn((n, d), || StandardNormal.sample(&mut rng))
}

/// The same in f32.
pub(crate) fn single(x: &Array2<f64>) -> Array2<f32> {
    x.mapv(|v| v as f32)
}

pub(crate) fn pair<T: Real>(x: ArrayView2<'_, T>, y: ArrayView2<'_, T>) -> PairMoments {
    let mut pair = PairMoments::new(x.ncols(), y.ncols());
    pair.update(x, y).unwrap();
    pair
}

pub(crate) fn scores(x: &Array2<f64>, y: &Array2<f64>) -> Linearity {
    Transition::from(&pair(x.view(), y.view())).linearity().unwrap()
}

pub(crate) fn rotation(x: &Array2<f64>, y: &Array2<f64>) -> Option<f64> {
    Transition::from(&pair(x.view(), y.view())).procrustes_orthogonal().unwrap()
}
