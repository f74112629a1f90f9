//! Tables from their definition, in f64.

use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sixfold_tensor_train::{Cores, TtShape};

pub(crate) fn generator(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Cores of numbers between −1 and 1.
pub(crate) fn random(shape: TtShape, seed: u64) -> Cores {
    let mut generator = generator(seed);
    let values = (0..shape.parameters()).map(|_| generator.random_range(-1.0..1.0)).collect();
    Cores::new(shape, values).unwrap()
}

/// Row `i` from the products of its matrices, entry by entry.
pub(crate) fn row(shape: &TtShape, values: &[f64], i: usize) -> Vec<f64> {
    let mut digits = vec![0; shape.cores()];
    let mut rest = i;
    for k in (0..shape.cores()).rev() {
        digits[k] = rest % shape.rows()[k];
        rest /= shape.rows()[k];
    }
    (0..shape.d_embed()).map(|j| entry(shape, values, &digits, j)).collect()
}

/// Tr(G_1[i_1, j_1]⋯G_d[i_d, j_d])
fn entry(shape: &TtShape, values: &[f64], digits: &[usize], j: usize) -> f64 {
    let ring = shape.ranks()[0];
    let mut product: Array2<f64> = Array2::eye(ring);
    let mut below = shape.d_embed();
    let mut start = 0;
    for (k, digit) in digits.iter().enumerate() {
        let [slices, left, columns, right] = shape.core(k);
        below /= columns;
        let column = j / below % columns;
        let at = |a: usize, b: usize| {
            values[start + ((digit * left + a) * columns + column) * right + b]
        };
        product = product.dot(&Array2::from_shape_fn((left, right), |(a, b)| at(a, b)));
        start += slices * left * columns * right;
    }
    product.diag().sum()
}

pub(crate) fn widened(values: &[f32]) -> Vec<f64> {
    values.iter().map(|value| f64::from(*value)).collect()
}

/// Trains and rings of 2 to 6 cores, none with a whole vocabulary.
pub(crate) fn shapes() -> Vec<TtShape> {
    let new = |vocab, rows: &[usize], columns: &[usize], ranks: &[usize]| {
        TtShape::new(vocab, rows, columns, ranks).unwrap()
    };
    vec![
        new(11, &[3, 4], &[2, 3], &[1, 5, 1]),
        new(50, &[3, 4, 5], &[2, 4, 3], &[1, 6, 7, 1]),
        new(119, &[4, 5, 6], &[4, 8, 8], &[1, 16, 16, 1]),
        new(23, &[2, 3, 4], &[1, 1, 16], &[1, 2, 6, 1]),
        new(100, &[3, 3, 3, 4], &[2, 2, 1, 5], &[1, 3, 4, 5, 1]),
        new(60, &[2, 2, 2, 2, 4], &[2, 1, 2, 2, 1], &[1, 4, 3, 5, 2, 1]),
        new(90, &[2, 2, 2, 2, 2, 3], &[2, 2, 2, 2, 2, 2], &[1, 4, 7, 8, 6, 3, 1]),
        new(11, &[3, 4], &[2, 3], &[2, 3, 2]),
        new(50, &[3, 4, 5], &[2, 4, 3], &[3, 6, 5, 3]),
        new(119, &[4, 5, 6], &[4, 8, 8], &[4, 4, 4, 4]),
        new(60, &[2, 2, 2, 2, 4], &[2, 1, 2, 2, 1], &[2, 4, 3, 5, 2, 2]),
    ]
}
