//! Custom operations against their references, on every backend that is compiled in.
//!
//! A [`Case`] is an operation of flat inputs beside the same made of plain burn operations, which
//! runs in f64 on flex. It is compared in values, in gradients and tangents (against central
//! differences of the reference), and in leaving shared inputs alone.

mod activation;
mod attention;
mod cross_entropy;
mod dropout;
mod embedding;
mod linear;
mod lstm;
mod norm;
mod rotary;
mod softmax;

use burn::tensor::{DType, Device, Tensor, TensorData};
use sixfold_model::{Seed, available_devices, device};

/// Flat inputs to a flat output; operations shape them as they need.
type Operation<'a> = &'a (dyn Fn(Vec<Tensor<1>>) -> Tensor<1> + Sync);
/// Flat inputs and a direction of the first, to the direction of the output.
type Tangent<'a> = &'a (dyn Fn(Vec<Tensor<1>>, Tensor<1>) -> Tensor<1> + Sync);

struct Case<'a> {
    name: &'a str,
    inputs: Vec<Vec<f64>>,
    operation: Operation<'a>,
    reference: Operation<'a>,
    tangent: Option<Tangent<'a>>,
    /// How many of the inputs, from the first, have gradients.
    tracked: usize,
    devices: Vec<&'static str>,
    tolerance: f64,
}

impl<'a> Case<'a> {
    /// A case that compares values only.
    fn new(
        name: &'a str,
        inputs: Vec<Vec<f64>>,
        operation: Operation<'a>,
        reference: Operation<'a>,
    ) -> Self {
        let tolerance = 2e-6;
        let devices = devices();
        Self { name, inputs, operation, reference, tangent: None, tracked: 0, devices, tolerance }
    }

    /// Compares the gradients of the first `tracked` inputs too.
    fn gradients(self, tracked: usize) -> Self {
        Self { tracked, ..self }
    }

    /// Compares the derivative in a direction of the first input too.
    fn tangent(self, tangent: Tangent<'a>) -> Self {
        Self { tangent: Some(tangent), ..self }
    }

    /// Leaves GPUs out: their languages promise nothing about infinities and NaN.
    fn on_cpu(self) -> Self {
        let devices = self.devices.into_iter().filter(|name| ["flex", "ndarray"].contains(name));
        Self { devices: devices.collect(), ..self }
    }

    /// Allows this error, relative to the value where that is above 1.
    fn within(self, tolerance: f64) -> Self {
        Self { tolerance, ..self }
    }

    fn check(&self) {
        let expected = self.exact(&self.inputs);
        let gradients: Vec<Vec<f64>> = (0..self.tracked).map(|i| self.exact_gradient(i)).collect();
        let direction = values(self.inputs[0].len(), 77);
        for name in &self.devices {
            let device = device(name).expect("compiled in");
            let label = |what: &str| format!("{} on {name}: {what}", self.name);
            let found = self.run(&device);
            close(&label("values"), &found, &expected, self.tolerance);
            self.leaves_shared_inputs(&device, &found);
            self.check_gradients(&device, &gradients, &label("gradient"));
            if let Some(tangent) = self.tangent {
                let expected = self.exact_tangent(&direction);
                let on = |device: &Device| {
                    let direction = narrow(&direction, device);
                    read(tangent(self.on(device), direction))
                };
                close(&label("tangent"), &on(&device), &expected, 20.0 * self.tolerance);
                let tracked = on(&device.clone().autodiff());
                close(&label("tracked tangent"), &tracked, &expected, 20.0 * self.tolerance);
            }
        }
    }

    fn on(&self, device: &Device) -> Vec<Tensor<1>> {
        self.inputs.iter().map(|input| narrow(input, device)).collect()
    }

    fn run(&self, device: &Device) -> Vec<f64> {
        read((self.operation)(self.on(device)))
    }

    /// Inputs that somebody else holds are neither written to nor do they change the result.
    fn leaves_shared_inputs(&self, device: &Device, alone: &[f64]) {
        let inputs = self.on(device);
        let found = read((self.operation)(inputs.clone()));
        for (after, before) in inputs.into_iter().zip(self.on(device)) {
            same(&format!("{}: an input was written to", self.name), &read(after), &read(before));
        }
        same(&format!("{}: shared inputs change the result", self.name), &found, alone);
    }

    fn check_gradients(&self, device: &Device, expected: &[Vec<f64>], label: &str) {
        let device = device.clone().autodiff();
        // All inputs tracked, then each alone.
        let all = (0..self.tracked).collect::<Vec<_>>();
        let alone = (0..self.tracked).map(|i| vec![i]);
        for tracked in std::iter::once(all).chain(alone).filter(|tracked| !tracked.is_empty()) {
            let mut inputs = self.on(&device);
            for &i in &tracked {
                inputs[i] = inputs[i].clone().require_grad();
            }
            let out = (self.operation)(inputs.clone());
            let weights = narrow(&weights(out.dims()[0]), &device);
            let gradients = (out * weights).sum().backward();
            for &i in &tracked {
                let found = inputs[i].grad(&gradients).expect("a gradient of a tracked input");
                let label = format!("{label} of input {i} with {tracked:?} tracked");
                close(&label, &read(found), &expected[i], 20.0 * self.tolerance);
            }
        }
    }

    /// The reference in f64.
    fn exact(&self, inputs: &[Vec<f64>]) -> Vec<f64> {
        let device = device("flex").expect("compiled in");
        read((self.reference)(inputs.iter().map(|input| wide(input, &device)).collect()))
    }

    /// Central differences of `Σ weight·output` by each element of an input.
    fn exact_gradient(&self, input: usize) -> Vec<f64> {
        let objective = |inputs: &[Vec<f64>]| {
            let out = self.exact(inputs);
            out.iter().zip(weights(out.len())).map(|(out, weight)| out * weight).sum::<f64>()
        };
        let mut inputs = self.inputs.clone();
        (0..inputs[input].len())
            .map(|i| {
                let at = inputs[input][i];
                inputs[input][i] = at + STEP;
                let above = objective(&inputs);
                inputs[input][i] = at - STEP;
                let below = objective(&inputs);
                inputs[input][i] = at;
                (above - below) / (2.0 * STEP)
            })
            .collect()
    }

    /// Central difference along a direction of the first input.
    fn exact_tangent(&self, direction: &[f64]) -> Vec<f64> {
        let moved = |step: f64| {
            let mut inputs = self.inputs.clone();
            for (x, d) in inputs[0].iter_mut().zip(direction) {
                *x += step * d;
            }
            self.exact(&inputs)
        };
        let (above, below) = (moved(STEP), moved(-STEP));
        above.iter().zip(below).map(|(above, below)| (above - below) / (2.0 * STEP)).collect()
    }

    /// The same bits with one thread and with two.
    fn check_threads(&self) {
        for name in self.devices.iter().filter(|name| ["flex", "ndarray"].contains(name)) {
            let device = device(name).expect("compiled in").autodiff();
            let with = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
                pool.expect("a pool").install(|| {
                    let inputs: Vec<Tensor<1>> =
                        self.on(&device).into_iter().map(Tensor::require_grad).collect();
                    let out = (self.operation)(inputs.clone());
                    let weights = narrow(&weights(out.dims()[0]), &device);
                    let gradients = (out.clone() * weights).sum().backward();
                    let mut all = read(out);
                    for input in &inputs[..self.tracked] {
                        all.extend(read(input.grad(&gradients).expect("tracked")));
                    }
                    all
                })
            };
            same(&format!("{} on {name}: one thread and two", self.name), &with(2), &with(1));
        }
    }
}

const STEP: f64 = 1e-5;

/// Devices that can run here.
fn devices() -> Vec<&'static str> {
    let mut names = available_devices();
    names.retain(|&name| name != "cuda" && (name != "wgpu" || sixfold_testkit::has_vulkan()));
    names
}

/// Numbers between −2 and 2 that f32 holds.
fn values(n: usize, seed: u64) -> Vec<f64> {
    use rand::Rng;
    let mut rng = Seed::new(seed).stream("ops");
    (0..n).map(|_| f64::from((rng.next_u64() >> 40) as f32 / (1 << 22) as f32 - 2.0)).collect()
}

/// What outputs are summed with before a gradient is taken.
fn weights(n: usize) -> Vec<f64> {
    (0..n).map(|i| f64::from((1.3 * i as f32 + 0.4).cos())).collect()
}

fn narrow(values: &[f64], device: &Device) -> Tensor<1> {
    let values: Vec<f32> = values.iter().map(|&value| value as f32).collect();
    let n = values.len();
    Tensor::from_data(TensorData::new(values, [n]), device)
}

fn wide(values: &[f64], device: &Device) -> Tensor<1> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), (device, DType::F64))
}

fn read(x: Tensor<1>) -> Vec<f64> {
    x.into_data().iter::<f64>().collect()
}

fn flat<const D: usize>(x: Tensor<D>) -> Tensor<1> {
    let n = x.dims().iter().product::<usize>();
    shaped(x, [n])
}

/// `reshape`, which by itself takes a 0 for the length that the axis had before.
fn shaped<const D: usize, const E: usize>(x: Tensor<D>, shape: [usize; E]) -> Tensor<E> {
    if shape.contains(&0) {
        assert_eq!(x.dims().iter().product::<usize>(), 0, "nothing is lost");
        return Tensor::zeros(shape, (&x.device(), x.dtype()));
    }
    x.reshape(shape)
}

fn close(label: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{label}");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let agree = match (found.is_finite(), expected.is_finite()) {
            (true, true) => (found - expected).abs() <= tolerance * expected.abs().max(1.0),
            (false, false) => {
                found.is_nan() && expected.is_nan() || found.to_bits() == expected.to_bits()
            }
            _ => false,
        };
        assert!(agree, "{label}, place {i}: {found} for {expected}");
    }
}

fn same(label: &str, found: &[f64], expected: &[f64]) {
    let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(found), bits(expected), "{label}");
}
