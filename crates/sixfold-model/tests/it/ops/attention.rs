//! Attention.

use burn::tensor::Tensor;
use sixfold_model::ops::attention::reference;
use sixfold_model::ops::{self, AttentionForm};

use super::{Case, flat, values};

#[derive(Clone, Copy)]
struct Sizes {
    batch: usize,
    queries: usize,
    keys: usize,
    d_head: usize,
    /// Of the bias.
    rows: usize,
    heads: usize,
}

impl Sizes {
    fn new(batch: usize, queries: usize, keys: usize, d_head: usize) -> Self {
        Self { batch, queries, keys, d_head, rows: 1, heads: 1 }
    }

    fn shaped(self, inputs: Vec<Tensor<1>>, form: &AttentionForm) -> [Tensor<3>; 4] {
        let [q, k, v, bias] = inputs.try_into().expect("four inputs");
        let Self { batch, queries, keys, d_head, rows, heads } = self;
        [
            q.reshape([batch, queries, form.n_heads * d_head]),
            k.reshape([batch, keys, form.n_kv_heads * d_head]),
            v.reshape([batch, keys, form.n_kv_heads * d_head]),
            bias.reshape([rows, heads, keys]),
        ]
    }

    /// `bias` for each of `rows · heads · keys` values.
    fn inputs(self, form: &AttentionForm, bias: impl Fn(usize) -> f64) -> Vec<Vec<f64>> {
        let of_keys = self.batch * self.keys * form.n_kv_heads * self.d_head;
        vec![
            values(self.batch * self.queries * form.n_heads * self.d_head, 1),
            values(of_keys, 2),
            values(of_keys, 3),
            (0..self.rows * self.heads * self.keys).map(bias).collect(),
        ]
    }
}

fn form(n_heads: usize, n_kv_heads: usize) -> AttentionForm {
    AttentionForm { n_heads, n_kv_heads, scale: 0.4, causal: false, start: 0, window: None }
}

fn check(name: &str, sizes: Sizes, form: AttentionForm, bias: impl Fn(usize) -> f64) {
    let operation = move |inputs: Vec<Tensor<1>>| {
        let [q, k, v, bias] = sizes.shaped(inputs, &form);
        flat(ops::attention(q, k, v, bias, form))
    };
    let exact = move |inputs: Vec<Tensor<1>>| {
        let [q, k, v, bias] = sizes.shaped(inputs, &form);
        flat(reference::attention(q, k, v, bias, form, |weights| weights))
    };
    let tangent = move |inputs: Vec<Tensor<1>>, dq: Tensor<1>| {
        let [q, k, v, bias] = sizes.shaped(inputs, &form);
        let dx = [dq.reshape(q.dims()), k.zeros_like(), v.zeros_like()];
        flat(ops::attention_tangent([q, k, v], dx, bias, form))
    };
    let case = Case::new(name, sizes.inputs(&form, bias), &operation, &exact);
    case.gradients(3).tangent(&tangent).within(4e-6).check();
}

#[test]
fn plain_heads() {
    check("one query", Sizes::new(1, 1, 1, 1), form(1, 1), |_| 0.0);
    check("plain", Sizes::new(2, 3, 5, 4), form(2, 2), |i| 0.1 * i as f64);
}

#[test]
fn heads_that_share_keys() {
    check("grouped", Sizes::new(2, 3, 4, 3), form(4, 2), |_| 0.0);
    check("one head of keys", Sizes::new(1, 2, 3, 2), form(3, 1), |_| 0.0);
}

#[test]
fn order_windows_and_a_cache() {
    let causal = AttentionForm { causal: true, ..form(2, 1) };
    check("causal", Sizes::new(1, 4, 4, 2), causal, |_| 0.0);
    check("window", Sizes::new(1, 5, 5, 2), AttentionForm { window: Some(2), ..causal }, |_| 0.0);
    check("after a cache", Sizes::new(2, 2, 5, 2), AttentionForm { start: 3, ..causal }, |_| 0.0);
    let around = AttentionForm { window: Some(3), ..form(1, 1) };
    check("a window over later keys", Sizes::new(1, 5, 5, 2), around, |_| 0.0);
}

#[test]
fn a_bias_for_each_row_and_head() {
    let sizes = Sizes { rows: 2, heads: 2, ..Sizes::new(2, 2, 3, 2) };
    check("slopes", sizes, form(2, 2), |i| 0.25 * (i % 3) as f64 * (1 + i / 3 % 2) as f64);
}

#[test]
fn padding_and_rows_that_see_nothing() {
    // The first row of the batch sees two of four keys, the second none.
    let sizes = Sizes { rows: 2, ..Sizes::new(2, 3, 4, 2) };
    let hidden = |i: usize| if i < 2 { 0.0 } else { f64::NEG_INFINITY };
    check("hidden rows", sizes, form(2, 2), hidden);
    // Padding on the left of a causal row: its first query sees nothing.
    let left = |i: usize| if i == 0 { f64::NEG_INFINITY } else { 0.0 };
    check("left", Sizes::new(1, 3, 3, 2), AttentionForm { causal: true, ..form(1, 1) }, left);
}

/// More queries than a tile holds, so that tiles, and their ends, meet.
#[test]
fn many_queries() {
    let sizes = Sizes::new(1, 150, 150, 2);
    let form = AttentionForm { causal: true, ..form(2, 1) };
    let operation = move |inputs: Vec<Tensor<1>>| {
        let [q, k, v, bias] = sizes.shaped(inputs, &form);
        flat(ops::attention(q, k, v, bias, form))
    };
    let exact = move |inputs: Vec<Tensor<1>>| {
        let [q, k, v, bias] = sizes.shaped(inputs, &form);
        flat(reference::attention(q, k, v, bias, form, |weights| weights))
    };
    let inputs = sizes.inputs(&form, |_| 0.0);
    let case = Case::new("many queries", inputs, &operation, &exact).within(4e-6);
    case.check();
    case.gradients(3).check_threads();
}

/// The backward pass against burn's own differentiation of the reference, at a size that finite
/// differences would take too long for.
#[test]
fn gradients_over_many_tiles() {
    let sizes = Sizes { rows: 2, ..Sizes::new(2, 130, 140, 4) };
    let form = AttentionForm { causal: true, start: 10, window: Some(90), ..form(4, 2) };
    for name in super::devices() {
        let device = super::device(name).unwrap().autodiff();
        let inputs = sizes.inputs(&form, |i| if i % 9 == 4 { f64::NEG_INFINITY } else { 0.0 });
        let gradients = |fused: bool| {
            let tracked: Vec<Tensor<1>> = inputs
                .iter()
                .map(|input| super::narrow(input, &device))
                .enumerate()
                .map(|(i, x)| if i < 3 { x.require_grad() } else { x })
                .collect();
            let [q, k, v, bias] = sizes.shaped(tracked.clone(), &form);
            let out = match fused {
                true => ops::attention(q, k, v, bias, form),
                false => reference::attention(q, k, v, bias, form, |weights| weights),
            };
            let out = flat(out);
            let weights = super::narrow(&super::weights(out.dims()[0]), &device);
            let gradients = (out * weights).sum().backward();
            tracked[..3]
                .iter()
                .flat_map(|x| super::read(x.grad(&gradients).expect("tracked")))
                .collect::<Vec<f64>>()
        };
        super::close(&format!("gradients on {name}"), &gradients(true), &gradients(false), 2e-5);
    }
}

#[test]
fn no_queries_and_no_keys() {
    let device = super::device("flex").unwrap();
    let zeros = |len: usize| Tensor::<3>::zeros([2, len, 4], &device);
    let bias = |len: usize| Tensor::<3>::zeros([1, 1, len], &device);
    let none = ops::attention(zeros(0), zeros(3), zeros(3), bias(3), form(2, 2));
    assert_eq!(none.dims(), [2, 0, 4]);
    let blind = ops::attention(zeros(3), zeros(0), zeros(0), bias(0), form(2, 2));
    assert_eq!(super::read(flat(blind)), vec![0.0; 24]);
}

#[test]
fn nan_shows() {
    let device = super::device("flex").unwrap();
    let values = |fill: f64| Tensor::<3>::full([1, 2, 2], fill, &device);
    let bias = Tensor::<3>::zeros([1, 1, 2], &device);
    let out = ops::attention(values(f64::NAN), values(1.0), values(1.0), bias, form(1, 1));
    assert!(super::read(flat(out)).iter().all(|value| value.is_nan()));
}
