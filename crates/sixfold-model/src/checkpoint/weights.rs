//! Weights stored in half the bytes.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{DType, FloatDType, Tensor};

use crate::{Error, Result};

/// The type in which the matrices of a model are kept. Arithmetic is f32 whatever they are:
/// halves are widened for the time of a product.
///
/// Halves take no gradient; they are for running a model, or for training what stands beside
/// them. Vectors (biases, gains of norms) stay f32: they are few.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WeightType {
    /// 32 bits.
    #[default]
    F32,
    /// IEEE half: 11 bits of precision, up to 65,504.
    F16,
    /// bfloat16: 8 bits of precision, the range of f32.
    Bf16,
}

impl WeightType {
    fn dtype(self) -> (DType, FloatDType) {
        match self {
            Self::F32 => (DType::F32, FloatDType::F32),
            Self::F16 => (DType::F16, FloatDType::F16),
            Self::Bf16 => (DType::BF16, FloatDType::BF16),
        }
    }

    /// Converts the matrices of a model.
    ///
    /// # Errors
    /// [`Error::WeightType`] on a device that has no such type.
    ///
    /// ```
    /// use sixfold_model::{Seed, Transformer, TransformerSpec, WeightType};
    ///
    /// let device = sixfold_model::device("flex")?;
    /// let model = Transformer::new(&TransformerSpec::decoder(100, 16, 2, 4), Seed::new(0), &device);
    /// let model = WeightType::Bf16.apply(model)?;
    /// assert_eq!(model.embed.tokens.weight.val().dtype(), burn::tensor::DType::BF16);
    /// # Ok::<(), sixfold_model::Error>(())
    /// ```
    pub fn apply<M: Module>(self, model: M) -> Result<M> {
        let mut convert = Convert { to: self, error: None };
        let model = model.map(&mut convert);
        convert.error.map_or(Ok(model), Err)
    }

    /// One parameter of a model: vectors come back as they are.
    pub(super) fn convert<const D: usize>(self, tensor: Tensor<D>) -> Result<Tensor<D>> {
        let (dtype, float) = self.dtype();
        if D != 2 || tensor.dtype() == dtype {
            return Ok(tensor);
        }
        let device = tensor.device();
        if !device.supports_dtype(dtype) {
            return Err(Error::WeightType { device: format!("{device:?}"), dtype });
        }
        // A tracked half could not be trained, and would keep the cast on the tape.
        let tensor = tensor.detach().cast(float);
        Ok(if device.is_autodiff() && self == Self::F32 { tensor.require_grad() } else { tensor })
    }
}

struct Convert {
    to: WeightType,
    error: Option<Error>,
}

impl ModuleMapper for Convert {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.to.convert(param.val()) {
            Ok(tensor) => Param::initialized(param.id, tensor),
            Err(error) => {
                self.error = Some(error);
                param
            }
        }
    }
}
