//! Random initialisation, drawn on the host so that it is the same on every device.

use burn::module::{Param, ParamId};
use burn::nn::{Embedding, Linear};
use burn::tensor::{Device, Shape, Tensor, TensorData};
use rand_distr::{Distribution, Normal};

use super::dropout::Dropout;
use crate::Seed;

/// Makes parameters whose values are drawn only when somebody asks for them, each from the
/// stream of its own path: loading a checkpoint never pays for the draw it replaces.
pub(crate) struct Init<'a> {
    pub(crate) seed: Seed,
    pub(crate) std: f64,
    pub(crate) device: &'a Device,
}

impl<'a> Init<'a> {
    /// BERT's and GPT-2's rule: normal weights with deviation 0.02, zero biases, unit gains.
    pub(crate) fn new(seed: Seed, device: &'a Device) -> Self {
        Self { seed: seed.derive("init"), std: 0.02, device }
    }

    pub(crate) fn matrix(&self, path: &str, shape: [usize; 2]) -> Param<Tensor<2>> {
        let (seed, std, path) = (self.seed, self.std, path.to_owned());
        self.lazy(shape, move |device| {
            let normal = Normal::new(0.0_f64, std).expect("a finite, positive deviation");
            let values: Vec<f32> = normal
                .sample_iter(seed.stream(&path))
                .take(shape[0] * shape[1])
                .map(|value| value as f32)
                .collect();
            Tensor::from_data(TensorData::new(values, shape), device)
        })
    }

    pub(crate) fn constant(&self, value: f64, length: usize) -> Param<Tensor<1>> {
        self.lazy([length], move |device| Tensor::full([length], value, device))
    }

    pub(crate) fn linear(&self, path: &str, d_in: usize, d_out: usize, bias: bool) -> Linear {
        Linear {
            weight: self.matrix(&format!("{path}.weight"), [d_in, d_out]),
            bias: bias.then(|| self.constant(0.0, d_out)),
        }
    }

    pub(crate) fn embedding(&self, path: &str, rows: usize, d_embed: usize) -> Embedding {
        Embedding { weight: self.matrix(&format!("{path}.weight"), [rows, d_embed]) }
    }

    pub(crate) fn dropout(&self, probability: f64) -> Dropout {
        Dropout::new(probability)
    }

    fn lazy<const D: usize>(
        &self,
        shape: [usize; D],
        draw: impl FnOnce(&Device) -> Tensor<D> + Send + Sync + 'static,
    ) -> Param<Tensor<D>> {
        Param::uninitialized(
            ParamId::new(),
            move |device, require_grad| draw(device).set_require_grad(require_grad),
            self.device.clone(),
            true,
            Shape::from(shape),
        )
    }
}
