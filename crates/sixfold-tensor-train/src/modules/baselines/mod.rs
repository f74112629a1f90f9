//! Other small tables, behind the same trait, to compare tensor trains with.

mod hashed;
mod low_rank;
mod quotient_remainder;

pub use hashed::HashEmbedding;
pub use low_rank::LowRankEmbedding;
pub use quotient_remainder::QuotientRemainderEmbedding;

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use rand_distr::{Distribution, Normal};
use sixfold_model::Seed;

/// A matrix of normal numbers from the stream of its name.
fn normal(
    shape: [usize; 2],
    std: f64,
    seed: Seed,
    name: &str,
    device: &Device,
) -> Param<Tensor<2>> {
    let normal = Normal::new(0.0_f64, std).expect("a finite, positive deviation");
    let draws = normal.sample_iter(seed.derive("init").stream(name));
    let values: Vec<f32> = draws.take(shape[0] * shape[1]).map(|value| value as f32).collect();
    Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), device))
}

/// h with all axes but the last as one, and the shape of what follows from it with another last axis.
fn flat<const D: usize>(h: Tensor<D>, last: usize) -> (Tensor<2>, [usize; D]) {
    let mut shape = h.dims();
    let d = std::mem::replace(&mut shape[D - 1], last);
    let n = shape[..D - 1].iter().product();
    (h.reshape([n, d]), shape)
}
