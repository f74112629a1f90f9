//! Activations made of plain burn operations.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_PI, PI};

use burn::tensor::{Tensor, activation};

use crate::Activation;

/// See [`activate`](super::activate).
pub fn activate<const D: usize>(x: Tensor<D>, kind: Activation) -> Tensor<D> {
    match kind {
        // burn's own op differentiates the tanh form on some backends: 1e-3 off.
        Activation::Gelu => x.clone() * normal_cdf(x),
        Activation::GeluTanh => x.clone() * activation::sigmoid(tanh_form(x) * 2.0),
        Activation::QuickGelu => x.clone() * activation::sigmoid(x * QUICK),
        Activation::Relu => activation::relu(x),
        Activation::Silu => x.clone() * activation::sigmoid(x),
        Activation::Tanh => x.tanh(),
    }
}

/// See [`activate_tangent`](super::activate_tangent).
pub fn activate_tangent<const D: usize>(
    x: Tensor<D>,
    dx: Tensor<D>,
    kind: Activation,
) -> Tensor<D> {
    // (x·σ(v))′ = σ(v) + x·σ(v)·(1 − σ(v))·v′
    let gate = |x: Tensor<D>, v: Tensor<D>, slope: Tensor<D>| {
        let s = activation::sigmoid(v);
        s.clone() + x * s.clone() * (-s + 1.0) * slope
    };
    let slope = match kind {
        Activation::Gelu => {
            let density = (x.clone().square() * -0.5).exp() / (2.0 * PI).sqrt();
            normal_cdf(x.clone()) + x * density
        }
        Activation::GeluTanh => {
            let slope = (x.clone().square() * (3.0 * CUBIC) + 1.0) * (2.0 * FRAC_2_PI.sqrt());
            gate(x.clone(), tanh_form(x) * 2.0, slope)
        }
        Activation::QuickGelu => gate(x.clone(), x.clone() * QUICK, x.ones_like() * QUICK),
        Activation::Relu => x.greater_elem(0.0).float(),
        Activation::Silu => gate(x.clone(), x.clone(), x.ones_like()),
        Activation::Tanh => -x.tanh().square() + 1.0,
    };
    dx * slope
}

/// The constant of the sigmoid form of GELU (arXiv 1606.08415, §2).
pub(super) const QUICK: f64 = 1.702;
/// The coefficient of x³ in the tanh form of GELU.
pub(super) const CUBIC: f64 = 0.044_715;

/// √(2/π)·(x + 0.044715x³)
fn tanh_form<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    x.clone() * (x.square() * CUBIC + 1.0) * FRAC_2_PI.sqrt()
}

fn normal_cdf<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    ((x * FRAC_1_SQRT_2).erf() + 1.0) * 0.5
}
