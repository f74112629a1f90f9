//! The recurrence of an LSTM.

use burn::tensor::Tensor;
use sixfold_model::ops::{self, lstm::reference};

use super::{Case, flat, shaped, values};

fn inputs(seq: usize, batch: usize, d: usize) -> Vec<Vec<f64>> {
    vec![values(seq * batch * 4 * d, 1), values(4 * d * d, 2)]
}

fn of(
    inputs: Vec<Tensor<1>>,
    [seq, batch, d]: [usize; 3],
    f: impl Fn(Tensor<3>, Tensor<2>) -> Tensor<3>,
) -> Tensor<1> {
    let [outside, weight] = inputs.try_into().expect("two inputs");
    flat(f(shaped(outside, [seq, batch, 4 * d]), shaped(weight, [d, 4 * d])))
}

#[test]
fn sequences_in_both_directions_from_one_step_on() {
    for [seq, batch, d] in [[1, 1, 1], [1, 2, 3], [2, 1, 2], [5, 3, 4], [3, 2, 9]] {
        for backwards in [false, true] {
            let size = [seq, batch, d];
            let operation = |inputs| of(inputs, size, |x, w| ops::lstm(x, w, backwards));
            let exact = |inputs| of(inputs, size, |x, w| reference::lstm(x, w, backwards));
            let name = format!("{seq} steps of {batch} × {d}, backwards: {backwards}");
            let case = Case::new(&name, inputs(seq, batch, d), &operation, &exact);
            case.gradients(2).within(4e-6).check();
        }
    }
}

#[test]
fn no_steps_and_no_rows_are_nothing() {
    for size @ [seq, batch, d] in [[0, 2, 3], [2, 0, 3]] {
        let operation = |inputs| of(inputs, size, |x, w| ops::lstm(x, w, false));
        let exact = |inputs| of(inputs, size, |x, w| reference::lstm(x, w, false));
        Case::new("nothing", inputs(seq, batch, d), &operation, &exact).on_cpu().check();
    }
}

#[test]
fn the_future_does_not_reach_back() {
    let [seq, batch, d] = [4, 2, 3];
    let device = sixfold_model::device("flex").expect("compiled in");
    let on = |values: &[f64]| super::narrow(values, &device);
    let all = inputs(seq, batch, d);
    let states = |outside: &[f64], backwards| {
        let inputs = vec![on(outside), on(&all[1])];
        super::read(of(inputs, [seq, batch, d], |x, w| ops::lstm(x, w, backwards)))
    };
    let mut other = all[0].clone();
    other[2 * batch * 4 * d] += 1.0;
    let (step, n) = (batch * d, seq * batch * d);
    for (backwards, alike, unlike) in
        [(false, 0..2 * step, 2 * step..n), (true, 3 * step..n, 0..3 * step)]
    {
        let (one, two) = (states(&all[0], backwards), states(&other, backwards));
        super::same("steps that do not see it", &one[alike.clone()], &two[alike]);
        assert_ne!(one[unlike.clone()], two[unlike]);
    }
}

#[test]
fn results_do_not_depend_on_threads() {
    let size @ [seq, batch, d] = [3, 40, 120];
    let operation = |inputs| of(inputs, size, |x, w| ops::lstm(x, w, false));
    Case::new("lstm", inputs(seq, batch, d), &operation, &operation).gradients(2).check_threads();
}
