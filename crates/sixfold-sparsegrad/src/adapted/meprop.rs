//! MeProp: the baseline.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;
use sixfold_model::Projection;

use crate::ops;

/// y = x·W + b, of whose gradient only the largest entries of each row go back.
///
/// # References
/// Sun et al., arXiv 1706.06197.
#[derive(Module, Debug)]
pub struct MePropLinear {
    /// The projection, all of which is trained.
    pub linear: Linear,
    #[module(skip)]
    k: usize,
}

impl MePropLinear {
    /// Keeps k entries of the gradient of each output row.
    pub fn new(linear: Linear, k: usize) -> Self {
        Self { linear, k }
    }
}

impl Projection for MePropLinear {
    fn project<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let y = self.linear.project(x);
        let shape = y.dims();
        let width = shape[D - 1];
        let n = shape[..D - 1].iter().product();
        ops::keep(y.reshape([n, width]), self.k).reshape(shape)
    }
}
