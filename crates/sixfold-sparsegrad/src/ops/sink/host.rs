//! The core of a gradient on the CPU backends.

use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use ndarray::{Array2, ArrayView2};
use sixfold_linalg::matmul_with;
use sixfold_model::ops::host::HostBackend;

use super::{Deliver, Sink, SinkOps};
use crate::ops::observe::host::threads;

/// a·b, of no more threads than it is worth.
fn product(a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>) -> Array2<f32> {
    let products = a.nrows() * a.ncols() * b.ncols();
    matmul_with(a, b, threads(products))
}

/// Uᵀ·xᵀ·g·V in the cheapest order.
fn core(
    x: ArrayView2<'_, f32>,
    g: ArrayView2<'_, f32>,
    u: Option<ArrayView2<'_, f32>>,
    v: Option<ArrayView2<'_, f32>>,
) -> Array2<f32> {
    let (n, d_in, d_out) = (x.nrows(), x.ncols(), g.ncols());
    let rank = |basis: Option<ArrayView2<'_, f32>>| basis.map(|basis| basis.ncols());
    let (r_in, r_out) = (rank(u), rank(v));
    // Products of both orders, those with bases that are not there left out.
    let of = |rank: Option<usize>, times: usize| rank.map_or(0, |rank| rank * times);
    let (left, right) = (r_in.unwrap_or(d_in), r_out.unwrap_or(d_out));
    let activations = n * (of(r_in, d_in) + of(r_out, d_out) + left * right);
    let inner = (of(r_in, d_in * d_out) + of(r_out, left * d_out))
        .min(of(r_out, d_in * d_out) + of(r_in, d_in * right));
    if activations <= n * d_in * d_out + inner {
        let z = u.map(|u| product(x, u));
        let h = v.map(|v| product(g, v));
        let z = z.as_ref().map_or(x, |z| z.view());
        let h = h.as_ref().map_or(g, |h| h.view());
        return product(z.t(), h);
    }
    let gradient = product(x.t(), g);
    let input_first = of(r_in, d_in * d_out) + of(r_out, left * d_out) <= inner;
    let by_input = |c: Array2<f32>| match u {
        Some(u) => product(u.t(), c.view()),
        None => c,
    };
    let by_output = |c: Array2<f32>| match v {
        Some(v) => product(c.view(), v),
        None => c,
    };
    if input_first { by_output(by_input(gradient)) } else { by_input(by_output(gradient)) }
}

fn deliver<B: HostBackend>(
    x: FloatTensor<B>,
    g: FloatTensor<B>,
    u: Option<FloatTensor<B>>,
    v: Option<FloatTensor<B>>,
    sink: &dyn Sink,
) {
    let [n, d_in, d_out] = [x.shape()[0], x.shape()[1], g.shape()[1]];
    let (x, g) = (B::read(x), B::read(g));
    let x = ArrayView2::from_shape((n, d_in), &x).expect("whole rows");
    let g = ArrayView2::from_shape((n, d_out), &g).expect("whole rows");
    let read = |basis: FloatTensor<B>| (basis.shape()[1], B::read(basis));
    let (u, v) = (u.map(read), v.map(read));
    let u = u.as_ref().map(|(r, values)| ArrayView2::from_shape((d_in, *r), values).expect("U"));
    let v = v.as_ref().map(|(r, values)| ArrayView2::from_shape((d_out, *r), values).expect("V"));
    sink.receive(core(x, g, u, v).into_raw_vec_and_offset().0);
}

/// Implements the trait for one backend.
macro_rules! implement {
    ($backend:ty) => {
        impl Deliver for $backend {
            fn deliver(
                x: FloatTensor<Self>,
                g: FloatTensor<Self>,
                u: Option<FloatTensor<Self>>,
                v: Option<FloatTensor<Self>>,
                sink: &dyn Sink,
            ) {
                deliver::<Self>(x, g, u, v, sink);
            }
        }

        impl SinkOps for $backend {
            fn into_sink(
                y: FloatTensor<Self>,
                _: FloatTensor<Self>,
                _: FloatTensor<Self>,
                _: FloatTensor<Self>,
                _: FloatTensor<Self>,
                _: Arc<dyn Sink>,
            ) -> FloatTensor<Self> {
                y
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
