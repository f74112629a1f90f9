//! AdamW over a whole module.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{DType, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::buffers::{Moments, ParamState, Values};
use super::kernels::{self, Factors};
use super::{ClippedGradients, Group, ParamGroups};
use crate::{PathTracker, Result};

/// The constants of AdamW, with PyTorch's defaults.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamWConfig {
    /// Decay of the first moment.
    pub beta_1: f64,
    /// Decay of the second moment.
    pub beta_2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Weight decay λ, where the groups do not say otherwise.
    pub weight_decay: f64,
}

impl Default for AdamWConfig {
    fn default() -> Self {
        Self { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8, weight_decay: 0.01 }
    }
}

/// Adam with decoupled weight decay.
///
/// For the t-th step of a parameter p with gradient g, learning rate η and decay λ:
///
/// ```text
/// p ← p·(1 − ηλ)
/// m ← m + (1 − β₁)(g − m)
/// v ← β₂·v + (1 − β₂)·g²
/// p ← p − η/(1 − β₁ᵗ) · m/(√v/√(1 − β₂ᵗ) + ε)
/// ```
///
/// in PyTorch's order. Moments are kept by parameter path, in f32 (f64 for f64 parameters). On
/// CPU devices a step reads and writes each buffer once, in place; elsewhere it is composed of
/// plain operations. A parameter without a gradient is left as it is, and its t does not grow.
///
/// # Complexity
/// O(parameters) time; two numbers of state a parameter.
///
/// # References
/// Loshchilov and Hutter, arXiv 1711.05101, algorithm 2.
///
/// ```
/// use sixfold_model::train::{AdamW, AdamWConfig, Gradients, ParamGroups};
/// use sixfold_model::{Batch, CausalLm, LmHeadSpec, PaddingSide, Seed, TransformerSpec};
///
/// let device = sixfold_model::device("flex")?.autodiff();
/// let spec = TransformerSpec::decoder(100, 16, 1, 4);
/// let mut model = CausalLm::new(&spec, &LmHeadSpec::TIED, Seed::new(0), &device);
/// let groups = ParamGroups::default();
/// let mut optimizer = AdamW::new(AdamWConfig::default(), &groups, &model)?;
/// let batch = Batch::pad(&[vec![1, 2, 3, 4]], 0, PaddingSide::Right);
/// let before = model.loss(&batch)?.into_scalar::<f32>();
/// for _ in 0..3 {
///     let gradients = Gradients::from_backward(model.loss(&batch)?, &model);
///     model = optimizer.step(model, gradients.clip(Some(1.0))?, 1e-3);
/// }
/// assert!(model.loss(&batch)?.into_scalar::<f32>() < before);
/// # Ok::<(), sixfold_model::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct AdamW {
    config: AdamWConfig,
    groups: BTreeMap<String, Group>,
    pub(super) state: BTreeMap<String, ParamState>,
}

impl AdamW {
    /// An optimiser for the parameters of a model, none of which has taken a step.
    ///
    /// # Errors
    /// [`Error::NoSuchParameter`](crate::Error::NoSuchParameter) for a pattern of the groups that
    /// matches nothing.
    pub fn new<M: Module>(config: AdamWConfig, groups: &ParamGroups, model: &M) -> Result<Self> {
        let groups = groups.resolve(model, config.weight_decay)?;
        Ok(Self { config, groups, state: BTreeMap::new() })
    }

    /// The model after one step with the learning rate `lr`, which the groups' factors multiply.
    ///
    /// Parameters keep their ids, devices and types. Where another copy of the model lives, its
    /// values stay as they were, at the price of a copy here.
    pub fn step<M: Module>(&mut self, model: M, gradients: ClippedGradients, lr: f64) -> M {
        let tracker = PathTracker::default();
        model.map(&mut Step { optimizer: self, gradients, lr, tracker })
    }

    /// The first and second moment of a parameter and its steps, on the host; `None` before its
    /// first step.
    pub fn moments(&self, path: &str) -> Option<(TensorData, TensorData, u64)> {
        let state = self.state.get(path)?;
        let (first, second) = state.moments.data();
        Some((first, second, state.steps))
    }

    /// The factors of the `t`-th step of a parameter.
    fn factors(&self, group: Group, t: u64, lr: f64, gradient: f64) -> Factors<f64> {
        let AdamWConfig { beta_1, beta_2, epsilon, .. } = self.config;
        let (lr, t) = (lr * group.lr_factor, t as f64);
        Factors {
            gradient,
            decay: 1.0 - lr * group.weight_decay,
            rest_1: 1.0 - beta_1,
            beta_2,
            rest_2: 1.0 - beta_2,
            correction_2: (1.0 - beta_2.powf(t)).sqrt().recip(),
            epsilon,
            step: lr / (1.0 - beta_1.powf(t)),
        }
    }
}

impl AdamWConfig {
    /// Values that make no sense, one line each.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (name, beta) in [("beta_1", self.beta_1), ("beta_2", self.beta_2)] {
            if !(0.0..1.0).contains(&beta) {
                problems.push(format!("{name} {beta} is not in [0, 1)"));
            }
        }
        for (name, value) in [("epsilon", self.epsilon), ("weight_decay", self.weight_decay)] {
            if !(value.is_finite() && value >= 0.0) {
                problems.push(format!("{name} {value} is not a finite number from 0"));
            }
        }
        problems
    }
}

struct Step<'a> {
    optimizer: &'a mut AdamW,
    gradients: ClippedGradients,
    lr: f64,
    tracker: PathTracker,
}

impl ModuleMapper for Step<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.tracker.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, container: &str) {
        self.tracker.exit(container);
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let path = self.tracker.path();
        let Some((gradient, scale)) = self.gradients.take(&path) else { return param };
        let group = self.optimizer.groups.get(&path).copied();
        // A path that the model got after the optimiser was made.
        let group = group.unwrap_or(Group { lr_factor: 1.0, weight_decay: 0.0 });
        let steps = self.optimizer.state.get(&path).map_or(0, |state| state.steps) + 1;
        let factors = self.optimizer.factors(group, steps, self.lr, scale);
        let moments = self.optimizer.state.remove(&path).map(|state| state.moments);
        let (id, value, mapper) = param.consume();
        let (value, moments) = match gradient {
            Values::Host(gradient) => on_host(value, &gradient, moments, factors),
            Values::Device(gradient) => on_device(value, gradient, moments, factors),
        };
        self.optimizer.state.insert(path, ParamState { steps, moments });
        Param::from_mapped_value(id, value, mapper)
    }
}

/// One fused pass over the buffers.
fn on_host<const D: usize>(
    value: Tensor<D>,
    gradient: &[f32],
    moments: Option<Moments>,
    factors: Factors<f64>,
) -> (Tensor<D>, Moments) {
    let (shape, device) = (value.dims(), value.device());
    let Values::Host(mut values) = Values::take(value) else {
        panic!("the gradient lies on the host, its parameter does not")
    };
    let (mut first, mut second) = Moments::on_host(moments, values.len());
    kernels::adamw(&mut values, gradient, &mut first, &mut second, &factors.narrow());
    // The device carries autodiff and its checkpointing over to the new tensor.
    let value = Tensor::from_data(TensorData::new(values, shape), (&device, DType::F32));
    (value.require_grad(), Moments::Host { first, second })
}

/// The same as plain operations, in f32 for halves.
fn on_device<const D: usize>(
    value: Tensor<D>,
    gradient: Tensor<1>,
    moments: Option<Moments>,
    factors: Factors<f64>,
) -> (Tensor<D>, Moments) {
    let (shape, dtype) = (value.dims(), value.dtype());
    let work = if dtype == DType::F64 { DType::F64 } else { DType::F32 };
    let gradient = gradient.cast(work) * factors.gradient;
    let (first, second) = Moments::on_device(moments, &gradient);
    let first = first.clone() + (gradient.clone() - first) * factors.rest_1;
    let second = second * factors.beta_2 + gradient.clone() * gradient * factors.rest_2;
    let denominator = second.clone().sqrt() * factors.correction_2 + factors.epsilon;
    let change = first.clone() * factors.step / denominator;
    // Without a gradient, but with autodiff: the last operation hands its context on.
    let value = value.detach().set_require_grad(false);
    let value = value.cast(work) * factors.decay - change.reshape(shape);
    (value.cast(dtype).detach().require_grad(), Moments::Device { first, second })
}
