//! Activations on the CPU.

use burn::backend::tensor::FloatTensor;

use super::ActivationOps;
use super::reference::{CUBIC, QUICK};
use crate::Activation;
use crate::ops::host::{HostBackend, map, map_with, normal_cdf_pdf, sigmoid};

/// 2·√(2/π)
const TANH_SCALE: f32 = 1.595_769;

fn activate<B: HostBackend>(x: FloatTensor<B>, kind: Activation) -> FloatTensor<B> {
    // One closure for each kind: a choice within the loop would keep it from vectorising.
    match kind {
        Activation::Gelu => each::<B>(x, |x| x * normal_cdf_pdf(x).0),
        Activation::GeluTanh => each::<B>(x, |x| x * sigmoid(tanh_form(x))),
        Activation::QuickGelu => each::<B>(x, |x| x * sigmoid(QUICK as f32 * x)),
        // `max` would turn NaN into 0.
        Activation::Relu => each::<B>(x, |x| if x < 0.0 { 0.0 } else { x }),
        Activation::Silu => each::<B>(x, |x| x * sigmoid(x)),
        Activation::Tanh => each::<B>(x, f32::tanh),
    }
}

fn derivative<B: HostBackend>(
    x: FloatTensor<B>,
    d: FloatTensor<B>,
    kind: Activation,
) -> FloatTensor<B> {
    match kind {
        Activation::Gelu => times::<B>(x, d, |x| {
            let (cdf, pdf) = normal_cdf_pdf(x);
            x.mul_add(pdf, cdf)
        }),
        Activation::GeluTanh => times::<B>(x, d, |x| {
            let slope = TANH_SCALE * (3.0 * CUBIC as f32 * x).mul_add(x, 1.0);
            gate(x, tanh_form(x), slope)
        }),
        Activation::QuickGelu => times::<B>(x, d, |x| gate(x, QUICK as f32 * x, QUICK as f32)),
        Activation::Relu => times::<B>(x, d, |x| if x > 0.0 { 1.0 } else { 0.0 }),
        Activation::Silu => times::<B>(x, d, |x| gate(x, x, 1.0)),
        Activation::Tanh => times::<B>(x, d, |x| {
            let y = x.tanh();
            1.0 - y * y
        }),
    }
}

/// 2√(2/π)·(x + 0.044715x³): what the sigmoid of the tanh form takes.
#[inline(always)]
fn tanh_form(x: f32) -> f32 {
    TANH_SCALE * x * (CUBIC as f32 * x).mul_add(x, 1.0)
}

/// The derivative of x·σ(v): σ(v)·(1 + x·(1 − σ(v))·v′).
#[inline(always)]
fn gate(x: f32, v: f32, slope: f32) -> f32 {
    let s = sigmoid(v);
    s * (x * (1.0 - s)).mul_add(slope, 1.0)
}

fn each<B: HostBackend>(x: FloatTensor<B>, f: impl Fn(f32) -> f32 + Sync) -> FloatTensor<B> {
    map::<B>(
        x,
        #[inline(always)]
        |piece| {
            for value in piece {
                *value = f(*value);
            }
        },
    )
}

/// d ⊙ f(x), in the memory of `d` where it can.
fn times<B: HostBackend>(
    x: FloatTensor<B>,
    d: FloatTensor<B>,
    f: impl Fn(f32) -> f32 + Sync,
) -> FloatTensor<B> {
    let x = B::read(x);
    map_with::<B>(
        d,
        &x,
        #[inline(always)]
        |piece, x| {
            for (d, x) in piece.iter_mut().zip(x) {
                *d *= f(*x);
            }
        },
    )
}

/// Implements the trait for one backend.
macro_rules! implement {
    ($backend:ty) => {
        impl ActivationOps for $backend {
            fn activate(x: FloatTensor<Self>, kind: Activation) -> FloatTensor<Self> {
                activate::<Self>(x, kind)
            }

            fn activate_derivative(
                x: FloatTensor<Self>,
                d: FloatTensor<Self>,
                kind: Activation,
            ) -> FloatTensor<Self> {
                derivative::<Self>(x, d, kind)
            }
        }
    };
}

#[cfg(feature = "flex")]
implement!(burn_flex::Flex);

#[cfg(feature = "ndarray")]
#[expect(deprecated, reason = "the second CPU backend")]
mod second {
    use super::*;
    implement!(burn_ndarray::NdArray);
}
