//! Gradients by parameter path: sums over micro-batches, the global norm, clipping.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{DType, Tensor, TensorData};

use super::buffers::Values;
use super::kernels;
use crate::{Error, PathTracker, Result};

/// Added to the norm when it divides, as in PyTorch.
const CLIP_EPSILON: f64 = 1e-6;

/// The gradients of a model's parameters, by path.
///
/// Frozen parameters, and those that the loss does not depend on, have none.
///
/// ```
/// use sixfold_model::train::Gradients;
/// use sixfold_model::{Batch, CausalLm, LmHeadSpec, PaddingSide, Seed, TransformerSpec};
///
/// let device = sixfold_model::device("flex")?.autodiff();
/// let spec = TransformerSpec::decoder(100, 16, 1, 4);
/// let model = CausalLm::new(&spec, &LmHeadSpec::TIED, Seed::new(0), &device);
/// let mut sum = Gradients::default();
/// for text in [vec![1, 2, 3], vec![4, 5, 6]] {
///     let loss = model.loss(&Batch::pad(&[text], 0, PaddingSide::Right))?;
///     sum.add(Gradients::from_backward(loss, &model));
/// }
/// sum.scale(0.5);
/// let clipped = sum.clip(Some(1.0))?;
/// assert!(clipped.norm() > 0.0);
/// # Ok::<(), sixfold_model::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Gradients {
    entries: BTreeMap<String, Gradient>,
    /// Still to be multiplied with: whoever reads the values next does it on the way.
    scale: f64,
}

#[derive(Clone, Debug)]
struct Gradient {
    shape: Vec<usize>,
    values: Values,
}

impl Default for Gradients {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), scale: 1.0 }
    }
}

impl Gradients {
    /// The gradients of a loss with respect to every parameter that is not frozen.
    ///
    /// # Shapes
    /// `loss`: `[1]`
    ///
    /// # Panics
    /// If the loss depends on no parameter that is trained.
    pub fn from_backward<M: Module>(loss: Tensor<1>, model: &M) -> Self {
        struct Collect {
            tracker: PathTracker,
            tape: burn::tensor::Gradients,
            found: Gradients,
        }
        impl ModuleVisitor for Collect {
            fn enter_module(&mut self, name: &str, container: &str) {
                self.tracker.enter(name, container);
            }
            fn exit_module(&mut self, _: &str, container: &str) {
                self.tracker.exit(container);
            }
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                if let Some(gradient) = param.val().grad_remove(&mut self.tape) {
                    let shape = gradient.dims().to_vec();
                    let gradient = Gradient { shape, values: Values::take(gradient) };
                    self.found.entries.insert(self.tracker.path(), gradient);
                }
            }
        }
        let tape = loss.backward();
        let mut collect = Collect { tracker: PathTracker::default(), tape, found: Self::default() };
        model.visit(&mut collect);
        collect.found
    }

    /// The paths that have a gradient.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The gradient of a parameter, on the host, as it stands after [`scale`](Self::scale).
    ///
    /// # Complexity
    /// A copy.
    pub fn get(&self, path: &str) -> Option<TensorData> {
        let Gradient { shape, values } = self.entries.get(path)?;
        let scale = self.scale as f32;
        Some(match values {
            Values::Host(values) => {
                let values: Vec<f32> = values.iter().map(|value| value * scale).collect();
                TensorData::new(values, shape.clone())
            }
            Values::Device(tensor) => {
                let (bytes, _, dtype) = (tensor.clone() * self.scale).into_data().into_parts();
                TensorData::from_bytes(bytes, shape.clone(), dtype)
            }
        })
    }

    /// Puts in a gradient that an [`Optimizer`](super::Optimizer) gathered itself, as it shall stand after
    /// [`scale`](Self::scale); flat, f32, on the host.
    ///
    /// The path need be that of no parameter. The gradient counts in the norm and is clipped with the others.
    pub fn insert(&mut self, path: impl Into<String>, mut values: Vec<f32>) {
        if self.scale.to_bits() != 1.0_f64.to_bits() {
            values.iter_mut().for_each(|value| *value /= self.scale as f32);
        }
        let shape = vec![values.len()];
        self.entries.insert(path.into(), Gradient { shape, values: Values::Host(values) });
    }

    /// Adds the gradients of another micro-batch. Each parameter has one if either has.
    ///
    /// # Panics
    /// If a parameter has different shapes in both, or lies on different devices.
    pub fn add(&mut self, other: Self) {
        if self.entries.is_empty() {
            *self = other;
            return;
        }
        // Both sums are brought to this scale, which is mostly the same.
        let factor = other.scale / self.scale;
        let same = other.scale.to_bits() == self.scale.to_bits();
        for (path, new) in other.entries {
            let sum = self.entries.entry(path).or_insert_with(|| {
                let values = match &new.values {
                    Values::Host(values) => Values::Host(vec![0.0; values.len()]),
                    Values::Device(tensor) => Values::Device(tensor.zeros_like()),
                };
                Gradient { shape: new.shape.clone(), values }
            });
            assert_eq!(sum.shape, new.shape, "gradients of different shapes");
            match (&mut sum.values, new.values) {
                (Values::Host(sum), Values::Host(new)) => {
                    kernels::add_scaled(sum, &new, factor as f32);
                }
                (Values::Device(sum), Values::Device(new)) => {
                    *sum = sum.clone() + if same { new } else { new * factor };
                }
                _ => panic!("gradients on different devices"),
            }
        }
    }

    /// Multiplies all by a factor, for instance 1/n after n micro-batches. Costs nothing: the
    /// factor waits for the next pass over the values.
    ///
    /// # Panics
    /// For a factor that is zero or not finite.
    pub fn scale(&mut self, factor: f64) {
        assert!(factor.is_finite() && factor != 0.0, "a gradient times {factor}");
        self.scale *= factor;
    }

    /// The Euclidean norm of all gradients taken together, summed in f64 on the host.
    ///
    /// # Errors
    /// [`Error::NonFiniteGradient`] with the first path, in alphabetical order, whose gradient
    /// holds an infinity or a NaN; on GPUs also where its squares exceed f32.
    pub fn norm(&self) -> Result<f64> {
        let mut on_device: Vec<(&String, Tensor<1>)> = Vec::new();
        let mut squares: BTreeMap<&String, f64> = BTreeMap::new();
        for (path, gradient) in &self.entries {
            match &gradient.values {
                Values::Host(values) => {
                    squares.insert(path, kernels::sum_of_squares(values));
                }
                Values::Device(tensor) => {
                    let tensor = match tensor.dtype() {
                        DType::F64 => tensor.clone(),
                        _ => tensor.clone().cast(DType::F32),
                    };
                    on_device.push((path, (tensor.clone() * tensor).sum()));
                }
            }
        }
        // One transfer for all parameters: each would wait for the device.
        if !on_device.is_empty() {
            let (paths, sums): (Vec<_>, Vec<_>) = on_device.into_iter().unzip();
            let sums = sums.into_iter().map(|sum| sum.cast(DType::F32)).collect();
            let sums = Tensor::cat(sums, 0).into_data();
            squares.extend(paths.into_iter().zip(sums.iter::<f64>()));
        }
        let total: f64 = squares.values().sum();
        if !total.is_finite() {
            let path = squares.iter().find(|(_, sum)| !sum.is_finite());
            let path = path.map_or_else(String::new, |(path, _)| (*path).clone());
            return Err(Error::NonFiniteGradient { path });
        }
        Ok(total.sqrt() * self.scale.abs())
    }

    /// Checks that all are finite and, with a `max_norm`, scales them together so that their
    /// norm does not exceed it, as PyTorch's `clip_grad_norm_`: by
    /// `min(1, max_norm/(norm + 1e-6))`.
    ///
    /// # Errors
    /// As [`norm`](Self::norm): then no step should be taken, and nothing has changed.
    pub fn clip(mut self, max_norm: Option<f64>) -> Result<ClippedGradients> {
        let norm = self.norm()?;
        if let Some(max_norm) = max_norm {
            self.scale *= (max_norm / (norm + CLIP_EPSILON)).min(1.0);
        }
        Ok(ClippedGradients { gradients: self, norm })
    }
}

/// Gradients that are known to be finite: what an optimiser takes.
#[derive(Clone, Debug)]
pub struct ClippedGradients {
    gradients: Gradients,
    norm: f64,
}

impl ClippedGradients {
    /// The global norm before clipping.
    pub fn norm(&self) -> f64 {
        self.norm
    }

    /// The gradients, scaled so that their norm is within the bound.
    pub fn gradients(&self) -> &Gradients {
        &self.gradients
    }

    /// Takes a gradient that was [inserted](Gradients::insert), and the factor that it waits for.
    pub fn remove(&mut self, path: &str) -> Option<(Vec<f32>, f64)> {
        match self.take(path)? {
            (Values::Host(values), scale) => Some((values, scale)),
            (Values::Device(tensor), scale) => {
                Some((tensor.into_data().iter::<f32>().collect(), scale))
            }
        }
    }

    /// Takes the values of a parameter, and the factor that they wait for.
    pub(super) fn take(&mut self, path: &str) -> Option<(Values, f64)> {
        let gradient = self.gradients.entries.remove(path)?;
        Some((gradient.values, self.gradients.scale))
    }
}
