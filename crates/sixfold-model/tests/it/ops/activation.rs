//! Activations.

use burn::tensor::Tensor;
use sixfold_model::Activation;
use sixfold_model::ops::activation::reference;
use sixfold_model::ops::{activate, activate_tangent};

use super::{Case, flat, values};

const KINDS: [Activation; 6] = [
    Activation::Gelu,
    Activation::GeluTanh,
    Activation::QuickGelu,
    Activation::Relu,
    Activation::Silu,
    Activation::Tanh,
];

fn first(x: Vec<Tensor<1>>) -> Tensor<1> {
    x.into_iter().next().expect("an input")
}

#[test]
fn every_kind_agrees() {
    for kind in KINDS {
        for n in [1, 7, 100] {
            let operation = |x| activate(first(x), kind);
            let exact = |x| reference::activate(first(x), kind);
            let tangent = |x, dx| activate_tangent(first(x), dx, kind);
            let name = format!("{kind:?} of {n}");
            let inputs = vec![values(n, 1).into_iter().map(|x| 3.0 * x).collect()];
            Case::new(&name, inputs, &operation, &exact).gradients(1).tangent(&tangent).check();
        }
    }
}

#[test]
fn nothing_is_activated_to_nothing() {
    for kind in KINDS {
        let operation = |x| activate(first(x), kind);
        Case::new("empty", vec![Vec::new()], &operation, &operation).on_cpu().check();
    }
}

#[test]
fn strided_and_sliced_inputs_are_activated() {
    for kind in KINDS {
        let view = |x: Vec<Tensor<1>>| {
            first(x).reshape([4, 6]).narrow(0, 1, 2).swap_dims(0, 1).narrow(0, 1, 4)
        };
        let operation = |x| flat(activate(view(x), kind));
        let exact = |x| flat(reference::activate(view(x), kind));
        Case::new("view", vec![values(24, 2)], &operation, &exact).gradients(1).check();
    }
}

#[test]
fn large_numbers_and_nan_go_through() {
    // The references multiply −∞ by 0 where the limit is 0: only the largest finite numbers agree.
    for kind in KINDS {
        let operation = |x| activate(first(x), kind);
        let exact = |x| reference::activate(first(x), kind);
        let inputs = vec![vec![f64::NAN, f64::INFINITY, 1e4, -1e4, 0.0, 30.0, -30.0]];
        Case::new(&format!("{kind:?}"), inputs, &operation, &exact).on_cpu().check();
    }
}

#[test]
fn threads_do_not_change_activations() {
    for kind in KINDS {
        let operation = |x| activate(first(x), kind);
        Case::new("activation", vec![values(70_000, 3)], &operation, &operation)
            .gradients(1)
            .check_threads();
    }
}
