//! Softmax, with and without a mask.

use burn::tensor::{Bool, Tensor, TensorData};
use sixfold_model::ops::softmax::reference;
use sixfold_model::ops::{masked_softmax, softmax, softmax_tangent};

use super::{Case, flat, values};

fn first(x: Vec<Tensor<1>>) -> Tensor<1> {
    x.into_iter().next().expect("an input")
}

/// Every third place, and all of the first row.
fn mask(x: &Tensor<1>, shape: [usize; 3]) -> Tensor<3, Bool> {
    let n = shape.iter().product::<usize>();
    let hidden: Vec<bool> = (0..n).map(|i| i < shape[2] || i % 3 == 0).collect();
    Tensor::from_data(TensorData::new(hidden, shape), &x.device())
}

#[test]
fn every_shape_agrees() {
    for shape in [[2, 3, 5], [1, 1, 4], [1, 2, 1], [1, 2, 70]] {
        let operation = |x| flat(softmax(first(x).reshape(shape)));
        let exact = |x| flat(reference::softmax(first(x).reshape(shape)));
        let tangent = |x, dx: Tensor<1>| {
            flat(softmax_tangent(softmax(first(x).reshape(shape)), dx.reshape(shape)))
        };
        let name = format!("softmax {shape:?}");
        Case::new(&name, vec![values(shape.iter().product(), 1)], &operation, &exact)
            .gradients(1)
            .tangent(&tangent)
            .check();
    }
}

#[test]
fn masks_agree_in_every_way_to_expand() {
    let shape = [2, 3, 5];
    for of_mask in [[2, 3, 5], [1, 3, 5], [2, 1, 5], [1, 1, 5], [2, 3, 1], [1, 1, 1]] {
        let operation = |x| {
            let x = first(x);
            let mask = mask(&x, of_mask);
            flat(masked_softmax(x.reshape(shape), mask))
        };
        let exact = |x| {
            let x = first(x);
            let mask = mask(&x, of_mask);
            flat(reference::masked_softmax(x.reshape(shape), mask))
        };
        let tangent = |x, dx: Tensor<1>| {
            let x = first(x);
            let mask = mask(&x, of_mask);
            flat(softmax_tangent(masked_softmax(x.reshape(shape), mask), dx.reshape(shape)))
        };
        let name = format!("softmax under {of_mask:?}");
        Case::new(&name, vec![values(30, 2)], &operation, &exact)
            .gradients(1)
            .tangent(&tangent)
            .check();
    }
}

#[test]
fn a_row_that_is_hidden_is_zero_whatever_it_holds() {
    let mut x = values(15, 3);
    (x[0], x[1], x[3], x[7]) = (f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY);
    let operation = |x| {
        let x = first(x);
        let mask = mask(&x, [1, 3, 5]);
        flat(masked_softmax(x.reshape([1, 3, 5]), mask))
    };
    let exact = |x| {
        let x = first(x);
        let mask = mask(&x, [1, 3, 5]);
        flat(reference::masked_softmax(x.reshape([1, 3, 5]), mask))
    };
    Case::new("hidden row", vec![x], &operation, &exact).on_cpu().check();
}

#[test]
fn infinities_and_nan_stay_in_their_row() {
    let mut x = values(30, 4);
    (x[1], x[6], x[12]) = (f64::NEG_INFINITY, f64::INFINITY, f64::NAN);
    let operation = |x| flat(softmax(first(x).reshape([6, 5])));
    let exact = |x| flat(reference::softmax(first(x).reshape([6, 5])));
    Case::new("infinite scores", vec![x.clone()], &operation, &exact).on_cpu().check();
    // The same where other places are hidden.
    let operation = |x| {
        let x = first(x);
        let mask = mask(&x, [2, 3, 5]);
        flat(masked_softmax(x.reshape([2, 3, 5]), mask))
    };
    let exact = |x| {
        let x = first(x);
        let mask = mask(&x, [2, 3, 5]);
        flat(reference::masked_softmax(x.reshape([2, 3, 5]), mask))
    };
    Case::new("infinite masked scores", vec![x], &operation, &exact).on_cpu().check();
}

#[test]
fn strided_and_sliced_inputs_agree() {
    let view = |x: Tensor<1>| x.reshape([2, 6, 4]).swap_dims(1, 2).narrow(2, 1, 4);
    let operation = |x| {
        let x = first(x);
        let mask = mask(&x, [2, 4, 4]).swap_dims(1, 2);
        flat(masked_softmax(view(x), mask))
    };
    let exact = |x| {
        let x = first(x);
        let mask = mask(&x, [2, 4, 4]).swap_dims(1, 2);
        flat(reference::masked_softmax(view(x), mask))
    };
    Case::new("view", vec![values(48, 5)], &operation, &exact).gradients(1).check();
}

#[test]
fn nothing_has_the_softmax_of_nothing() {
    let operation = |x| flat(softmax(first(x).reshape([0, 3])));
    let exact = |x| first(x);
    Case::new("no rows", vec![Vec::new()], &operation, &exact).on_cpu().check();
}

#[test]
fn threads_do_not_change_results() {
    let operation = |x| flat(softmax(first(x).reshape([70, 1000])));
    Case::new("softmax", vec![values(70_000, 6)], &operation, &operation)
        .gradients(1)
        .check_threads();
}
