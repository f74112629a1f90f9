//! A projection of which some entries of a core are trained.

use std::sync::Arc;

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::{DType, Int, Tensor, TensorData};
use sixfold_model::{Projection, ops as model_ops};

use super::coordinates::{self, Coordinates, beside, outside};
use crate::config::Realisation;
use crate::{LayerUpdate, Mask, ops};

/// y = x·(W + U·S·Vᵀ) + b, of which only the entries of S at a mask are trained.
///
/// [`InPlace`](Realisation::InPlace) the weights hold the update: a forward pass costs what it did, and after each
/// step [`settle`](Self::settle) brings them up to date. As an [`Adapter`](Realisation::Adapter) the update stays
/// beside them: y = x·W + b + ((x·U)·S)·Vᵀ.
///
/// # References
/// SparseGrad (EMNLP 2024), section 3, without the rotated weights; LoRA-XS (arXiv 2405.17604) where the basis is that of
/// the weights and the mask has all entries.
#[derive(Module, Debug)]
pub struct SparseLinear {
    /// W, `[d_in, d_out]`.
    pub weight: Param<Tensor<2>>,
    /// b, `[d_out]`.
    pub bias: Option<Param<Tensor<1>>>,
    /// The entries of S at the mask, `[k]`.
    pub values: Param<Tensor<1>>,
    /// Those that the weights hold already, where they do.
    settled: Option<Param<Tensor<1>>>,
    #[module(skip)]
    frame: Frame,
}

/// Which entries of which core.
#[derive(Clone, Debug)]
struct Frame {
    coordinates: Coordinates,
    mask: Arc<Mask>,
    /// Those of the mask, on the device; none for all.
    indices: Tensor<1, Int>,
}

impl SparseLinear {
    /// Adapts a projection: S is zero, W and b are frozen.
    ///
    /// # Panics
    /// If basis, mask and weights do not fit.
    pub fn new(
        linear: Linear,
        coordinates: &Coordinates,
        mask: impl Into<Arc<Mask>>,
        realisation: Realisation,
    ) -> Self {
        let mask = mask.into();
        assert_eq!(linear.weight.dims(), coordinates.weights(), "the weights of the basis");
        assert_eq!(mask.shape(), coordinates.core(), "the mask of the core");
        let device = linear.weight.lazy_device();
        let zeros = || Tensor::<1>::zeros([mask.len()], (&device, DType::F32));
        let indices = coordinates::indices(&mask, &device.clone().without_autodiff());
        let settled = (realisation == Realisation::InPlace)
            .then(|| Param::from_tensor(zeros()).set_require_grad(false));
        Self {
            weight: linear.weight.set_require_grad(false),
            bias: linear.bias.map(|bias| bias.set_require_grad(false)),
            values: Param::from_tensor(zeros()),
            settled,
            frame: Frame { coordinates: coordinates.clone(), mask, indices },
        }
    }

    /// The same with values that were trained before.
    ///
    /// # Panics
    /// If their number is not that of the mask's entries.
    pub fn with_values(mut self, values: &[f32]) -> Self {
        assert_eq!(values.len(), self.frame.mask.len(), "a value for each entry of the mask");
        self.values = self.values.map(|old| {
            let data = TensorData::new(values.to_vec(), [values.len()]);
            let tensor = Tensor::from_data(data, (&old.device(), DType::F32));
            tensor.set_require_grad(old.is_require_grad())
        });
        self.settle()
    }

    /// The trained entries.
    pub fn mask(&self) -> &Mask {
        &self.frame.mask
    }

    /// The coordinates of the core.
    pub fn coordinates(&self) -> &Coordinates {
        &self.frame.coordinates
    }

    /// Whether the weights hold the update.
    pub fn realisation(&self) -> Realisation {
        match self.settled {
            Some(_) => Realisation::InPlace,
            None => Realisation::Adapter,
        }
    }

    /// The update without the weights.
    pub fn update(&self) -> LayerUpdate {
        LayerUpdate {
            basis: self.frame.coordinates.name().to_owned(),
            mask: (*self.frame.mask).clone(),
            values: self.values.val().to_data().iter::<f32>().collect(),
        }
    }

    /// Brings weights that hold the update up to date with the values; others stay as they are.
    ///
    /// # Complexity
    /// That of [`ops::update()`].
    pub fn settle(mut self) -> Self {
        let Some(settled) = self.settled.take() else { return self };
        let values = self.values.val().inner();
        let change = values.clone() - settled.val().inner();
        self.weight = self.frame.added(self.weight, change);
        self.settled = Some(outside(settled, |_| values));
        self
    }

    /// The projection with the update in its weights.
    pub fn merge(self) -> Linear {
        let merged = self.settle();
        let values = merged.values.val().inner();
        let weight = match merged.settled {
            Some(_) => merged.weight,
            None => merged.frame.added(merged.weight, values),
        };
        Linear { weight, bias: merged.bias }
    }

    /// The projection without the update.
    ///
    /// What weights held is taken out again, to within rounding.
    pub fn unload(self) -> Linear {
        let weight = match self.settled {
            None => self.weight,
            Some(settled) => self.frame.added(self.weight, settled.val().inner().neg()),
        };
        Linear { weight, bias: self.bias }
    }

    fn rotated_input(&self, x: Tensor<2>) -> Tensor<2> {
        match self.frame.coordinates.input() {
            Some(u) => {
                let u = beside(u, &x);
                model_ops::linear(x, u, None)
            }
            None => x,
        }
    }
}

impl Frame {
    /// W + U·S·Vᵀ
    fn added(&self, weight: Param<Tensor<2>>, values: Tensor<1>) -> Param<Tensor<2>> {
        self.coordinates.added(weight, values, self.indices.clone(), &self.mask)
    }
}

impl Projection for SparseLinear {
    fn project<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let mut shape = x.dims();
        let [d_in, d_out] = self.frame.coordinates.weights();
        let n = shape[..D - 1].iter().product();
        let x = x.reshape([n, d_in]);
        let bias = self.bias.as_ref().map(Param::val);
        let y = model_ops::linear(x.clone(), self.weight.val(), bias);
        let Frame { coordinates, mask, indices } = &self.frame;
        let y = match self.settled {
            Some(_) if y.device().is_autodiff() => {
                let z = self.rotated_input(x.detach());
                let v = coordinates.output().map(|v| beside(v, &y));
                ops::observe(y, z, self.values.val(), v, indices.clone(), mask)
            }
            Some(_) => y,
            None => {
                let core = ops::observe::reference::core(self.values.val(), indices.clone(), mask);
                let added = model_ops::linear(self.rotated_input(x), core, None);
                y + match coordinates.output() {
                    Some(v) => {
                        let v = beside(v, &added);
                        model_ops::linear(added, v.transpose(), None)
                    }
                    None => added,
                }
            }
        };
        shape[D - 1] = d_out;
        y.reshape(shape)
    }
}
