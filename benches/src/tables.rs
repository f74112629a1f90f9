//! The tensor trains and batches of `research/tensor-train.md` §6.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sixfold_tensor_train::{Cores, Initializer, Result, TtShape};

/// 25k × 256 or 100k × 512, of three cores.
///
/// # Errors
/// If the rank is 0.
pub fn shape(thousands: usize, rank: usize) -> Result<TtShape> {
    let (rows, columns) =
        if thousands == 25 { ([25, 30, 40], [4, 8, 8]) } else { ([40, 50, 50], [8, 8, 8]) };
    TtShape::train(thousands * 1000, rows, columns, rank)
}

/// Cores of a shape, always the same.
///
/// # Errors
/// As [`Cores::init`].
pub fn cores(shape: &TtShape) -> Result<Cores> {
    Cores::init(shape.clone(), &Initializer::Glorot, 0)
}

/// Ids by Zipf's law: the i-th most frequent with a probability of 1/i. Frequent ids stand anywhere in a table.
pub fn zipf(vocab: usize, n: usize) -> Vec<u32> {
    let mut sums = Vec::with_capacity(vocab);
    let mut sum = 0.0_f64;
    for i in 1..=vocab {
        sum += 1.0 / i as f64;
        sums.push(sum);
    }
    let mut generator = ChaCha8Rng::seed_from_u64(n as u64);
    let mut order: Vec<u32> = (0..vocab as u32).collect();
    for i in (1..vocab).rev() {
        order.swap(i, generator.random_range(0..=i));
    }
    let draw = || {
        let at = generator.random_range(0.0..sum);
        order[sums.partition_point(|s| *s < at).min(vocab - 1)]
    };
    std::iter::repeat_with(draw).take(n).collect()
}

/// Numbers from −3 to 3: a gradient of rows.
pub fn grad(len: usize) -> Vec<f32> {
    (0..len).map(|i| (i % 7) as f32 - 3.0).collect()
}

/// `n` hidden states of small whole numbers, one after the other.
pub fn hidden(n: usize, d: usize) -> Vec<f32> {
    (0..n * d).map(|at| ((at / d * 7 + at % d) % 13) as f32 - 6.0).collect()
}
