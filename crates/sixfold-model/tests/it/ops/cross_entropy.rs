//! Cross-entropy.

use burn::tensor::{Int, Tensor};
use sixfold_model::device;
use sixfold_model::ops::cross_entropy::reference;
use sixfold_model::ops::{cross_entropy, cross_entropy_tangent};

use super::{Case, values};

fn first(x: Vec<Tensor<1>>) -> Tensor<1> {
    x.into_iter().next().expect("an input")
}

/// Targets that differ between rows.
fn targets(x: &Tensor<1>, n: usize, classes: usize) -> Tensor<1, Int> {
    let targets: Vec<i32> = (0..n).map(|i| (5 * i % classes) as i32).collect();
    Tensor::from_ints(targets.as_slice(), &x.device())
}

#[test]
fn every_shape_and_smoothing_agrees() {
    for [n, classes] in [[3, 5], [1, 2], [2, 70], [4, 1]] {
        for smoothing in [0.0, 0.1] {
            let operation = |x| {
                let x = first(x);
                let targets = targets(&x, n, classes);
                cross_entropy(x.reshape([n, classes]), targets, smoothing)
            };
            let exact = |x| {
                let x = first(x);
                let targets = targets(&x, n, classes);
                reference::cross_entropy(x.reshape([n, classes]), targets, smoothing)
            };
            let tangent = |x, d: Tensor<1>| {
                let x = first(x);
                let targets = targets(&x, n, classes);
                let shape = [n, classes];
                cross_entropy_tangent(x.reshape(shape), d.reshape(shape), targets, smoothing)
            };
            let name = format!("cross-entropy {n}×{classes}, {smoothing}");
            Case::new(&name, vec![values(n * classes, 1)], &operation, &exact)
                .gradients(1)
                .tangent(&tangent)
                .check();
        }
    }
}

#[test]
fn no_rows_have_no_loss() {
    let operation = |x| {
        let x = first(x);
        let targets = Tensor::<1, Int>::zeros([0], &x.device());
        cross_entropy(x.reshape([0, 3]), targets, 0.0)
    };
    let exact = |x| first(x).reshape([0]);
    Case::new("no rows", vec![Vec::new()], &operation, &exact).on_cpu().check();
}

#[test]
fn strided_and_sliced_logits_agree() {
    let view = |x: Tensor<1>| x.reshape([6, 8]).narrow(1, 2, 4).swap_dims(0, 1);
    let operation = |x| {
        let x = first(x);
        let targets = targets(&x, 4, 6);
        cross_entropy(view(x), targets, 0.1)
    };
    let exact = |x| {
        let x = first(x);
        let targets = targets(&x, 4, 6);
        reference::cross_entropy(view(x), targets, 0.1)
    };
    Case::new("view", vec![values(48, 2)], &operation, &exact).gradients(1).check();
}

#[test]
fn large_logits_keep_small_losses() {
    // Σ exp and the logits overflow f32 unless the largest is taken off first.
    let x = vec![1e4, 1e4 - 1.0, 9e3, -1e4, 3e4, 3e4];
    let operation = |x| {
        let x = first(x);
        let targets = targets(&x, 2, 3);
        cross_entropy(x.reshape([2, 3]), targets, 0.0)
    };
    let exact = |x| {
        let x = first(x);
        let targets = targets(&x, 2, 3);
        reference::cross_entropy(x.reshape([2, 3]), targets, 0.0)
    };
    Case::new("large logits", vec![x], &operation, &exact).gradients(1).check();
}

#[test]
fn infinities_and_nan_stay_in_their_row() {
    let mut x = values(20, 3);
    (x[1], x[7], x[14], x[15]) = (f64::NEG_INFINITY, f64::INFINITY, f64::NAN, f64::NEG_INFINITY);
    for smoothing in [0.0, 0.1] {
        let operation = |x| {
            let x = first(x);
            let targets = targets(&x, 5, 4);
            cross_entropy(x.reshape([5, 4]), targets, smoothing)
        };
        let exact = |x| {
            let x = first(x);
            let targets = targets(&x, 5, 4);
            reference::cross_entropy(x.reshape([5, 4]), targets, smoothing)
        };
        Case::new("infinite logits", vec![x.clone()], &operation, &exact).on_cpu().check();
    }
}

#[test]
fn a_target_out_of_range_panics_with_its_row() {
    for name in ["flex", "ndarray"] {
        let Ok(device) = device(name) else { continue };
        for target in [3, -1] {
            let logits = Tensor::<2>::zeros([2, 3], &device);
            let targets = Tensor::<1, Int>::from_ints([0, target], &device);
            let run = || cross_entropy(logits, targets, 0.0);
            let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).unwrap_err();
            let message = panic.downcast_ref::<String>().expect("a formatted message");
            assert!(message.contains(&format!("target {target} of row 1")), "{message}");
        }
    }
}

#[test]
fn threads_do_not_change_gradients() {
    let operation = |x| {
        let x = first(x);
        let targets = targets(&x, 40, 1000);
        cross_entropy(x.reshape([40, 1000]), targets, 0.1)
    };
    Case::new("cross-entropy", vec![values(40_000, 4)], &operation, &operation)
        .gradients(1)
        .check_threads();
}
