//! The affine map.

use burn::tensor::{DType, Tensor};
use sixfold_model::ops::{self, linear::reference};

use super::{Case, flat, values};

/// x of `[2, rows, d_in]`, W and b.
fn case(rows: usize, d_in: usize, d_out: usize, bias: bool) {
    let shaped = move |mut inputs: Vec<Tensor<1>>| {
        let bias = if bias { inputs.pop() } else { None };
        let weight = inputs.pop().expect("a weight").reshape([d_in, d_out]);
        (inputs.remove(0).reshape([2, rows, d_in]), weight, bias)
    };
    let operation = move |inputs: Vec<Tensor<1>>| {
        let (x, weight, bias) = shaped(inputs);
        flat(ops::linear(x, weight, bias))
    };
    let exact = move |inputs: Vec<Tensor<1>>| {
        let (x, weight, bias) = shaped(inputs);
        flat(reference::linear(x, weight, bias))
    };
    let mut inputs = vec![values(2 * rows * d_in, 1), values(d_in * d_out, 2)];
    if bias {
        inputs.push(values(d_out, 3));
    }
    let tracked = inputs.len();
    let name = format!("linear {rows}×{d_in}×{d_out}, bias {bias}");
    let tangent = move |mut inputs: Vec<Tensor<1>>, dx: Tensor<1>| {
        let weight = inputs.remove(1).reshape([d_in, d_out]);
        flat(ops::linear(dx.reshape([2, rows, d_in]), weight, None))
    };
    let case = Case::new(&name, inputs, &operation, &exact);
    case.gradients(tracked).tangent(&tangent).within(5e-6).check();
}

#[test]
fn shapes_from_one_row_on() {
    for bias in [true, false] {
        case(1, 1, 1, bias);
        case(3, 5, 4, bias);
        case(2, 33, 7, bias);
    }
}

#[test]
fn results_do_not_depend_on_threads() {
    let operation = |inputs: Vec<Tensor<1>>| {
        let [x, weight, bias] = inputs.try_into().expect("three inputs");
        flat(ops::linear(x.reshape([150, 140]), weight.reshape([140, 130]), Some(bias)))
    };
    let inputs = vec![values(150 * 140, 1), values(140 * 130, 2), values(130, 3)];
    Case::new("linear", inputs, &operation, &operation).gradients(3).check_threads();
}

#[test]
fn strided_and_sliced_operands() {
    let operation = |inputs: Vec<Tensor<1>>| {
        let [x, weight] = inputs.try_into().expect("two inputs");
        let x = x.reshape([3, 4, 6]).swap_dims(0, 1).narrow(1, 1, 2);
        // As a tied head takes its table.
        let weight = weight.reshape([7, 8]).narrow(0, 1, 5).narrow(1, 2, 6).transpose();
        flat(ops::linear(x, weight, None))
    };
    let exact = |inputs: Vec<Tensor<1>>| {
        let [x, weight] = inputs.try_into().expect("two inputs");
        let x = x.reshape([3, 4, 6]).swap_dims(0, 1).narrow(1, 1, 2);
        let weight = weight.reshape([7, 8]).narrow(0, 1, 5).narrow(1, 2, 6).transpose();
        flat(reference::linear(x, weight, None))
    };
    let inputs = vec![values(72, 4), values(56, 5)];
    Case::new("linear of views", inputs, &operation, &exact).gradients(2).check();
}

#[test]
fn no_rows_give_no_rows() {
    let device = super::device("flex").unwrap();
    let x = Tensor::<3>::zeros([2, 0, 4], &device);
    let weight = Tensor::<2>::ones([4, 3], &device);
    let bias = Tensor::<1>::ones([3], &device);
    assert_eq!(ops::linear(x, weight, Some(bias)).dims(), [2, 0, 3]);
}

#[test]
fn infinities_and_nan_go_where_the_reference_lets_them() {
    let operation = |inputs: Vec<Tensor<1>>| {
        let [x, weight] = inputs.try_into().expect("two inputs");
        flat(ops::linear(x.reshape([4, 2]), weight.reshape([2, 3]), None))
    };
    let exact = |inputs: Vec<Tensor<1>>| {
        let [x, weight] = inputs.try_into().expect("two inputs");
        flat(reference::linear(x.reshape([4, 2]), weight.reshape([2, 3]), None))
    };
    let x = vec![1.0, f64::NAN, f64::INFINITY, 1.0, f64::NEG_INFINITY, 2.0, 0.5, 0.5];
    let weight = vec![1.0, -1.0, 2.0, 0.5, 0.25, 1.0];
    Case::new("linear", vec![x, weight], &operation, &exact).on_cpu().check();
}

#[test]
fn half_weights_are_widened_for_the_product() {
    let device = super::device("flex").unwrap().autodiff();
    let of = |n: usize, seed| super::narrow(&values(n, seed), &device);
    for dtype in [DType::F16, DType::BF16] {
        let half = of(12, 6).reshape([4, 3]).cast(dtype);
        let wide = half.clone().cast(DType::F32);
        let x = of(8, 7).reshape([2, 4]).require_grad();
        let found = ops::linear(x.clone(), half, Some(of(3, 8)));
        let expected = ops::linear(x.clone(), wide, Some(of(3, 8)));
        assert_eq!(found.dtype(), DType::F32);
        let gradient = |y: Tensor<2>| super::read(flat(x.grad(&y.sum().backward()).unwrap()));
        super::same(
            "half",
            &super::read(flat(found.clone())),
            &super::read(flat(expected.clone())),
        );
        super::same("half, gradient", &gradient(found), &gradient(expected));
    }
}
