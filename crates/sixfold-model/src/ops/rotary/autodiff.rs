//! The backward pass of rotary positions: the rotation back.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend};

use super::RotaryOps;

#[derive(Debug)]
struct Rotate;

impl<B: Backend + RotaryOps> Backward<B, 1> for Rotate {
    type State = (FloatTensor<B>, FloatTensor<B>, usize, bool);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (cos, sin, heads, inverse) = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |grad| {
            B::rotate(grad, cos, sin, heads, !inverse)
        });
    }
}

impl<B: Backend + RotaryOps, C: CheckpointStrategy> RotaryOps for Autodiff<B, C> {
    fn rotate(
        x: FloatTensor<Self>,
        cos: FloatTensor<Self>,
        sin: FloatTensor<Self>,
        heads: usize,
        inverse: bool,
    ) -> FloatTensor<Self> {
        let (cos, sin) = (cos.into_primitive(), sin.into_primitive());
        match Rotate.prepare::<C>([x.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let state = (cos.clone(), sin.clone(), heads, inverse);
                prepared.finish(state, B::rotate(x.into_primitive(), cos, sin, heads, inverse))
            }
            OpsKind::UnTracked(prepared) => {
                prepared.finish(B::rotate(x.into_primitive(), cos, sin, heads, inverse))
            }
        }
    }
}
