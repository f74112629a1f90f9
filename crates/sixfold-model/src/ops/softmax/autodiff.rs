//! The backward pass of the softmax, from its output.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::tensor::{BoolTensor, FloatTensor};
use burn::backend::{Autodiff, Backend};

use super::SoftmaxOps;

#[derive(Debug)]
struct Softmax;

impl<B: Backend + SoftmaxOps> Backward<B, 1> for Softmax {
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let y = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |grad| B::softmax_derivative(y, grad));
    }
}

impl<B: Backend + SoftmaxOps, C: CheckpointStrategy> SoftmaxOps for Autodiff<B, C> {
    fn softmax_rows(x: FloatTensor<Self>) -> FloatTensor<Self> {
        recorded::<B, C>(x, B::softmax_rows)
    }

    fn masked_softmax_rows(x: FloatTensor<Self>, hidden: BoolTensor<Self>) -> FloatTensor<Self> {
        recorded::<B, C>(x, |x| B::masked_softmax_rows(x, hidden))
    }

    fn softmax_derivative(_: FloatTensor<Self>, _: FloatTensor<Self>) -> FloatTensor<Self> {
        unreachable!("tracked tangents are made of plain operations")
    }
}

fn recorded<B: Backend + SoftmaxOps, C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<B, C>>,
    forward: impl FnOnce(FloatTensor<B>) -> FloatTensor<B>,
) -> FloatTensor<Autodiff<B, C>> {
    match Backward::<B, 1>::prepare::<C>(Softmax, [x.node()]).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => {
            let y = forward(x.into_primitive());
            prepared.finish(y.clone(), y)
        }
        OpsKind::UnTracked(prepared) => prepared.finish(forward(x.into_primitive())),
    }
}
