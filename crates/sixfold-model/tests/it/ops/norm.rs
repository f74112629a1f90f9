//! LayerNorm and RMSNorm.

use burn::tensor::Tensor;
use sixfold_model::ops::norm::reference;
use sixfold_model::ops::{layer_norm, layer_norm_tangent, rms_norm, rms_norm_tangent};

use super::{Case, flat, shaped, values};

const EPSILON: f64 = 1e-5;

/// x, γ and β of a shape.
fn inputs(rows: usize, width: usize) -> Vec<Vec<f64>> {
    vec![values(rows * width, 1), values(width, 2), values(width, 3)]
}

fn take<const N: usize>(x: Vec<Tensor<1>>) -> [Tensor<1>; N] {
    x.try_into().expect("as many inputs as the case has")
}

#[test]
fn layer_norm_agrees() {
    for [rows, width] in [[3, 8], [1, 5], [4, 1], [2, 40], [0, 4]] {
        let shape = [1, rows, width];
        let operation = |x| {
            let [x, gamma, beta] = take(x);
            flat(layer_norm(shaped(x, shape), gamma, Some(beta), EPSILON))
        };
        let exact = |x| {
            let [x, gamma, beta] = take(x);
            flat(reference::layer_norm(shaped(x, shape), gamma, Some(beta), EPSILON))
        };
        let tangent = |x, dx: Tensor<1>| {
            let [x, gamma, _] = take(x);
            flat(layer_norm_tangent(shaped(x, shape), shaped(dx, shape), gamma, EPSILON))
        };
        let name = format!("layer norm {shape:?}");
        let case = Case::new(&name, inputs(rows, width), &operation, &exact);
        if rows == 0 {
            case.on_cpu().check();
        } else {
            case.gradients(3).tangent(&tangent).within(5e-6).check();
        }
    }
}

#[test]
fn layer_norm_without_offset_agrees() {
    let operation = |x| {
        let [x, gamma] = take(x);
        flat(layer_norm(x.reshape([3, 6]), gamma, None, EPSILON))
    };
    let exact = |x| {
        let [x, gamma] = take(x);
        flat(reference::layer_norm(x.reshape([3, 6]), gamma, None, EPSILON))
    };
    let inputs = vec![values(18, 4), values(6, 5)];
    Case::new("layer norm without offset", inputs, &operation, &exact)
        .gradients(2)
        .within(5e-6)
        .check();
}

#[test]
fn rms_norm_agrees() {
    for [rows, width] in [[3, 8], [1, 5], [4, 1], [2, 40]] {
        let shape = [rows, width];
        let operation = |x| {
            let [x, gamma] = take(x);
            flat(rms_norm(shaped(x, shape), gamma, EPSILON))
        };
        let exact = |x| {
            let [x, gamma] = take(x);
            flat(reference::rms_norm(shaped(x, shape), gamma, EPSILON))
        };
        let tangent = |x, dx: Tensor<1>| {
            let [x, gamma] = take(x);
            flat(rms_norm_tangent(shaped(x, shape), shaped(dx, shape), gamma, EPSILON))
        };
        let name = format!("rms norm {shape:?}");
        let inputs = vec![values(rows * width, 6), values(width, 7)];
        Case::new(&name, inputs, &operation, &exact)
            .gradients(2)
            .tangent(&tangent)
            .within(5e-6)
            .check();
    }
}

#[test]
fn strided_and_sliced_inputs_are_normed() {
    let view = |x: Tensor<1>| x.reshape([6, 8]).narrow(0, 1, 4).swap_dims(0, 1).narrow(1, 1, 3);
    let operation = |x| {
        let [x, gamma] = take(x);
        flat(layer_norm(view(x), gamma.narrow(0, 2, 3), None, EPSILON))
    };
    let exact = |x| {
        let [x, gamma] = take(x);
        flat(reference::layer_norm(view(x), gamma.narrow(0, 2, 3), None, EPSILON))
    };
    let inputs = vec![values(48, 8), values(6, 9)];
    Case::new("layer norm of a view", inputs, &operation, &exact).gradients(2).within(5e-6).check();
}

#[test]
fn a_row_far_from_zero_keeps_its_digits() {
    // Values that f32 holds exactly at 10⁴, so that only the norm's own arithmetic rounds.
    let x: Vec<f64> = (0..64).map(|i| 1e4 + f64::from(i * 37 % 64) / 64.0).collect();
    let operation = |x| {
        let [x, gamma] = take(x);
        flat(layer_norm(x.reshape([1, 64]), gamma, None, EPSILON))
    };
    let exact = |x| {
        let [x, gamma] = take(x);
        flat(reference::layer_norm(x.reshape([1, 64]), gamma, None, EPSILON))
    };
    Case::new("layer norm at 1e4", vec![x, vec![1.0; 64]], &operation, &exact)
        .on_cpu()
        .within(1e-5)
        .check();
}

#[test]
fn infinities_and_nan_stay_in_their_row() {
    let mut x = values(24, 10);
    (x[0], x[7], x[14]) = (f64::NAN, f64::INFINITY, f64::NEG_INFINITY);
    for rms in [false, true] {
        let operation = |x| {
            let [x, gamma] = take(x);
            let x = x.reshape([4, 6]);
            flat(if rms {
                rms_norm(x, gamma, EPSILON)
            } else {
                layer_norm(x, gamma, None, EPSILON)
            })
        };
        let exact = |x| {
            let [x, gamma] = take(x);
            let x = x.reshape([4, 6]);
            flat(if rms {
                reference::rms_norm(x, gamma, EPSILON)
            } else {
                reference::layer_norm(x, gamma, None, EPSILON)
            })
        };
        Case::new("norm of NaN", vec![x.clone(), values(6, 11)], &operation, &exact)
            .on_cpu()
            .within(5e-6)
            .check();
    }
}

#[test]
fn threads_do_not_change_gradients() {
    // More rows than one block has.
    let operation = |x| {
        let [x, gamma, beta] = take(x);
        flat(layer_norm(x.reshape([600, 128]), gamma, Some(beta), EPSILON))
    };
    Case::new("layer norm", inputs(600, 128), &operation, &operation).gradients(3).check_threads();
}
