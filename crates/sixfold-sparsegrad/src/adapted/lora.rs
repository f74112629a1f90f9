//! LoRA: the baseline.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::{DType, Tensor, TensorData};
use rand::distr::{Distribution, Uniform};
use sixfold_model::{Projection, Seed, ops};

use super::coordinates::outside;

/// y = x·W + b + s·(x·A)·B, of which A and B are trained.
///
/// # References
/// Hu et al., arXiv 2106.09685, equation 3; s = α/√r: Kalajdzievski, arXiv 2312.03732.
#[derive(Module, Debug)]
pub struct LoraLinear {
    /// W, `[d_in, d_out]`.
    pub weight: Param<Tensor<2>>,
    /// b, `[d_out]`.
    pub bias: Option<Param<Tensor<1>>>,
    /// A, `[d_in, r]`.
    pub a: Param<Tensor<2>>,
    /// B, `[r, d_out]`.
    pub b: Param<Tensor<2>>,
    #[module(skip)]
    scale: f64,
}

impl LoraLinear {
    /// Adapts a projection: A is uniform within ±1/√d_in as in PEFT, B is zero, W and b are frozen.
    ///
    /// # Panics
    /// For a projection without inputs.
    pub fn new(linear: Linear, rank: usize, scale: f64, seed: Seed) -> Self {
        let [d_in, d_out] = linear.weight.dims();
        let device = linear.weight.lazy_device();
        let bound = (d_in as f32).sqrt().recip();
        let range = Uniform::new_inclusive(-bound, bound).expect("an interval");
        let draws = range.sample_iter(seed.derive("init").stream("a"));
        let a: Vec<f32> = draws.take(d_in * rank).collect();
        let a = Tensor::from_data(TensorData::new(a, [d_in, rank]), (&device, DType::F32));
        Self {
            weight: linear.weight.set_require_grad(false),
            bias: linear.bias.map(|bias| bias.set_require_grad(false)),
            a: Param::from_tensor(a),
            b: Param::from_tensor(Tensor::zeros([rank, d_out], (&device, DType::F32))),
            scale,
        }
    }

    /// The factor s of the update.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// The rank r.
    pub fn rank(&self) -> usize {
        self.a.lazy_shape()[1]
    }

    /// The projection with the update in its weights.
    pub fn merge(self) -> Linear {
        let (a, b) = (self.a.val().inner(), self.b.val().inner());
        let scale = self.scale;
        let weight = outside(self.weight, |weight| {
            let dtype = weight.dtype();
            weight + (a.matmul(b) * scale).cast(dtype)
        });
        Linear { weight, bias: self.bias }
    }

    /// The projection without the update.
    pub fn unload(self) -> Linear {
        Linear { weight: self.weight, bias: self.bias }
    }
}

impl Projection for LoraLinear {
    fn project<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let bias = self.bias.as_ref().map(Param::val);
        let y = ops::linear(x.clone(), self.weight.val(), bias);
        let low = ops::linear(x, self.a.val(), None) * self.scale;
        y + ops::linear(low, self.b.val(), None)
    }
}
