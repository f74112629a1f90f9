//! Logits on the CPU backends: those of the crate without burn.

use std::sync::Arc;

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::Shape;
use sixfold_model::ops::host::HostBackend;

use super::LogitsOps;
use crate::TtShape;
use crate::logits::{self, Method};

/// Memory of the result, in the backend's tensors: hidden states and cores.
fn pair<B: HostBackend>(
    shape: &TtShape,
    (hidden, cores): (Vec<f32>, Vec<f32>),
) -> (FloatTensor<B>, FloatTensor<B>) {
    let d = shape.d_embed();
    let of_hidden = Shape::new([hidden.len() / d, d]);
    (B::make(hidden, of_hidden), B::make(cores, Shape::new([shape.parameters()])))
}

fn targets<B: HostBackend>(targets: IntTensor<B>) -> Vec<u32> {
    let checked = |target| u32::try_from(target).expect("a target is a row");
    B::indices(targets).into_iter().map(checked).collect()
}

fn method<B: HostBackend>(shape: &TtShape, hidden: &B::Values) -> Method {
    Method::choose(shape, hidden.len() / shape.d_embed())
}

fn forward<B: HostBackend>(
    hidden: FloatTensor<B>,
    cores: FloatTensor<B>,
    shape: &TtShape,
) -> FloatTensor<B> {
    let (hidden, cores) = (B::read(hidden), B::read(cores));
    let values = logits::logits(shape, &cores, &hidden, method::<B>(shape, &hidden));
    let n = hidden.len() / shape.d_embed();
    B::make(values, Shape::new([n, shape.vocab_size()]))
}

fn backward<B: HostBackend>(
    hidden: FloatTensor<B>,
    cores: FloatTensor<B>,
    grad: FloatTensor<B>,
    shape: &TtShape,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let (hidden, cores, grad) = (B::read(hidden), B::read(cores), B::read(grad));
    let method = method::<B>(shape, &hidden);
    pair::<B>(shape, logits::logits_backward(shape, &cores, &hidden, &grad, method))
}

fn cross_entropy<B: HostBackend>(
    hidden: FloatTensor<B>,
    cores: FloatTensor<B>,
    of_states: IntTensor<B>,
    shape: &TtShape,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let (hidden, cores) = (B::read(hidden), B::read(cores));
    let method = method::<B>(shape, &hidden);
    let targets = targets::<B>(of_states);
    let found = logits::cross_entropy(shape, &cores, &hidden, &targets, method);
    let shape = Shape::new([targets.len()]);
    (B::make(found.losses, shape.clone()), B::make(found.log_sums, shape))
}

fn cross_entropy_backward<B: HostBackend>(
    hidden: FloatTensor<B>,
    cores: FloatTensor<B>,
    of_states: IntTensor<B>,
    [log_sums, grad]: [FloatTensor<B>; 2],
    shape: &TtShape,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let (hidden, cores) = (B::read(hidden), B::read(cores));
    let (log_sums, grad) = (B::read(log_sums), B::read(grad));
    let method = method::<B>(shape, &hidden);
    let targets = targets::<B>(of_states);
    pair::<B>(
        shape,
        logits::cross_entropy_backward(shape, &cores, &hidden, &targets, &log_sums, &grad, method),
    )
}

/// Implements the trait for one backend.
macro_rules! implement {
    ($backend:ty) => {
        impl LogitsOps for $backend {
            fn tt_logits(
                hidden: FloatTensor<Self>,
                cores: FloatTensor<Self>,
                shape: Arc<TtShape>,
            ) -> FloatTensor<Self> {
                forward::<Self>(hidden, cores, &shape)
            }

            fn tt_logits_backward(
                hidden: FloatTensor<Self>,
                cores: FloatTensor<Self>,
                grad: FloatTensor<Self>,
                shape: Arc<TtShape>,
            ) -> (FloatTensor<Self>, FloatTensor<Self>) {
                backward::<Self>(hidden, cores, grad, &shape)
            }

            fn tt_cross_entropy(
                hidden: FloatTensor<Self>,
                cores: FloatTensor<Self>,
                targets: IntTensor<Self>,
                shape: Arc<TtShape>,
            ) -> (FloatTensor<Self>, FloatTensor<Self>) {
                cross_entropy::<Self>(hidden, cores, targets, &shape)
            }

            fn tt_cross_entropy_backward(
                hidden: FloatTensor<Self>,
                cores: FloatTensor<Self>,
                targets: IntTensor<Self>,
                log_sums: FloatTensor<Self>,
                grad: FloatTensor<Self>,
                shape: Arc<TtShape>,
            ) -> (FloatTensor<Self>, FloatTensor<Self>) {
                cross_entropy_backward::<Self>(hidden, cores, targets, [log_sums, grad], &shape)
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
