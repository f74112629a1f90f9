//! Custom operations of this crate; see `sixfold_model::ops` for how they are laid out.

#[cfg(feature = "cube")]
mod cube;
pub mod logits;
pub mod lookup;
pub mod pool;

pub use logits::{cross_entropy, logits};
pub use lookup::lookup;
pub use pool::{bag_max, bag_sum};

use burn::tensor::Tensor;

use crate::TtShape;

/// All cores as one vector, as kernels on the host take them.
fn flat(cores: &[Tensor<4>]) -> Tensor<1> {
    Tensor::cat(cores.iter().map(|core| core.clone().flatten::<1>(0, 3)).collect(), 0)
}

/// # Panics
/// If they are not the cores of the shape.
fn check(cores: &[Tensor<4>], shape: &TtShape) {
    assert_eq!(cores.len(), shape.cores(), "the cores of the shape");
    for (k, core) in cores.iter().enumerate() {
        assert_eq!(core.dims(), shape.core(k), "core {k} of the shape");
    }
}
