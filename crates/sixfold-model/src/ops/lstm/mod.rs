//! The recurrence of an LSTM: all steps of a sequence as one operation.
//!
//! Made of plain operations, each step is a node of its own, and the gradient of each of T slices
//! of the inputs is as large as all of them: T² times the memory traffic of one step. burn's own
//! module works that way.

mod autodiff;
mod host;
pub mod reference;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

use super::has_kernel;
use crate::device::is_host;

#[cfg_attr(feature = "ndarray", expect(deprecated, reason = "the second CPU backend"))]
mod extension {
    use super::*;

    #[backend_extension(
        Flex: cfg(feature = "flex"),
        NdArray: cfg(feature = "ndarray"),
        Autodiff
    )]
    pub(crate) trait LstmOps: Backend {
        /// The states, the gates after their activations, and the cells.
        fn recur(
            inputs: FloatTensor<Self>,
            weight: FloatTensor<Self>,
            backwards: bool,
        ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

        /// The gradients of the inputs and of the weight, from what [`recur`](Self::recur) gave.
        fn recur_backward(
            weight: FloatTensor<Self>,
            states: FloatTensor<Self>,
            gates: FloatTensor<Self>,
            cells: FloatTensor<Self>,
            grad: FloatTensor<Self>,
            backwards: bool,
        ) -> (FloatTensor<Self>, FloatTensor<Self>);
    }
}
pub(crate) use extension::LstmOps;

/// The hidden states of an LSTM (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et
/// al. 2000), from zeros on:
///
/// (i, f, g, o) = inputs_t + h_{t−1}·W, c_t = σ(f)⊙c_{t−1} + σ(i)⊙tanh(g), h_t = σ(o)⊙tanh(c_t).
///
/// `inputs` holds what comes from outside, x_t·U + b: one product for all steps. With `backwards`
/// the last step is the first.
///
/// GPUs take the reference.
///
/// # Shapes
/// `inputs`: `[seq, batch, 4·d]`, the gates in the order i, f, g, o; `weight`: `[d, 4·d]` →
/// `[seq, batch, d]`
///
/// # Panics
/// If the widths do not fit.
///
/// # Complexity
/// 8·seq·batch·d² operations, the backward pass twice that; it keeps 6·seq·batch·d numbers.
///
/// ```
/// use burn::tensor::Tensor;
/// use sixfold_model::ops;
///
/// let device = sixfold_model::device("flex")?;
/// let inputs = Tensor::<3>::ones([2, 1, 4], &device);
/// let states = ops::lstm(inputs, Tensor::zeros([1, 4], &device), false);
/// let states: Vec<f32> = states.into_data().to_vec().unwrap();
/// // c_1 = σ(1)·tanh(1), c_2 = σ(1)·c_1 + c_1, h = σ(1)·tanh(c)
/// assert!((states[0] - 0.369_606).abs() < 1e-5 && (states[1] - 0.545_346).abs() < 1e-5);
/// # Ok::<(), sixfold_model::Error>(())
/// ```
pub fn lstm(inputs: Tensor<3>, weight: Tensor<2>, backwards: bool) -> Tensor<3> {
    let ([_, _, width], [d, four]) = (inputs.dims(), weight.dims());
    assert!(width == four && four == 4 * d, "gates {width} wide, and a weight of {d} × {four}");
    if !has_kernel(&inputs) || !has_kernel(&weight) || !is_host(&inputs.device()) {
        return reference::lstm(inputs, weight, backwards);
    }
    let (inputs, weight) = (inputs.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(Dispatch::recur(inputs, weight, backwards).0)
}
