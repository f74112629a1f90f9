//! Rotary positions.

use burn::tensor::Tensor;
use sixfold_model::ops::rotary::reference;
use sixfold_model::ops::rotate;

use super::{Case, flat, shaped, values};

/// Features, cosines and sines of a shape: constants come last.
fn inputs(n: usize, angles: usize) -> Vec<Vec<f64>> {
    let turn = values(angles, 2);
    let of = |f: fn(f64) -> f64| turn.iter().map(|&t| f64::from(f(t) as f32)).collect();
    vec![values(n, 1), of(f64::cos), of(f64::sin)]
}

fn take(x: Vec<Tensor<1>>) -> [Tensor<1>; 3] {
    x.try_into().expect("features, cosines, sines")
}

#[test]
fn both_layouts_agree() {
    // Heads beside each other, or along an axis of their own; all of a head turned, or a part.
    for (shape, heads, half) in [
        ([2, 1, 3, 12], 2, 3),
        ([2, 1, 3, 12], 2, 2),
        ([2, 3, 4, 6], 1, 3),
        ([1, 1, 1, 5], 1, 1),
        ([1, 2, 3, 4], 1, 0),
    ] {
        let angles = |x: Tensor<1>| shaped(x, [shape[2], half]);
        let operation = |x| {
            let [x, cos, sin] = take(x);
            flat(rotate(x.reshape(shape), angles(cos), angles(sin), heads))
        };
        let exact = |x| {
            let [x, cos, sin] = take(x);
            flat(reference::rotate(x.reshape(shape), angles(cos), angles(sin), heads))
        };
        // Linear: the tangent is the operation itself.
        let tangent = |x, dx: Tensor<1>| {
            let [_, cos, sin] = take(x);
            flat(rotate(dx.reshape(shape), angles(cos), angles(sin), heads))
        };
        let name = format!("rotation of {shape:?} by {heads} heads, {half}");
        let case =
            Case::new(&name, inputs(shape.iter().product(), shape[2] * half), &operation, &exact);
        if half == 0 {
            case.on_cpu().check();
        } else {
            case.gradients(1).tangent(&tangent).check();
        }
    }
}

#[test]
fn no_positions_are_rotated_to_none() {
    let operation = |x| {
        let [x, cos, sin] = take(x);
        flat(rotate(shaped(x, [2, 0, 4]), shaped(cos, [0, 2]), shaped(sin, [0, 2]), 1))
    };
    let exact = |x| {
        let [x, cos, sin] = take(x);
        flat(reference::rotate(shaped(x, [2, 0, 4]), shaped(cos, [0, 2]), shaped(sin, [0, 2]), 1))
    };
    Case::new("empty", inputs(0, 0), &operation, &exact).on_cpu().check();
}

#[test]
fn strided_and_sliced_inputs_are_rotated() {
    // What attention has: heads split from the features, then brought before the positions.
    let view = |x: Tensor<1>| x.reshape([2, 3, 2, 4]).swap_dims(1, 2);
    let angles = |x: Tensor<1>| x.reshape([2, 5]).swap_dims(0, 1).narrow(0, 1, 3);
    let operation = |x| {
        let [x, cos, sin] = take(x);
        flat(rotate(view(x), angles(cos), angles(sin), 1))
    };
    let exact = |x| {
        let [x, cos, sin] = take(x);
        flat(reference::rotate(view(x), angles(cos), angles(sin), 1))
    };
    Case::new("view", inputs(48, 10), &operation, &exact).gradients(1).check();
}

#[test]
fn infinities_and_nan_stay_in_their_pair() {
    let mut inputs = inputs(16, 4);
    (inputs[0][0], inputs[0][5], inputs[0][10]) = (f64::NAN, f64::INFINITY, f64::NEG_INFINITY);
    let operation = |x| {
        let [x, cos, sin] = take(x);
        flat(rotate(x.reshape([2, 2, 4]), cos.reshape([2, 2]), sin.reshape([2, 2]), 1))
    };
    let exact = |x| {
        let [x, cos, sin] = take(x);
        flat(reference::rotate(x.reshape([2, 2, 4]), cos.reshape([2, 2]), sin.reshape([2, 2]), 1))
    };
    Case::new("infinite features", inputs, &operation, &exact).on_cpu().check();
}
