//! The backward pass of dropout: the same mask.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend};

use super::{DropoutMask, DropoutOps};

#[derive(Debug)]
struct DropOut;

impl<B: Backend + DropoutOps> Backward<B, 1> for DropOut {
    type State = DropoutMask;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        unary::<B, _>(ops.parents, ops.node, grads, |grad| B::drop_out(grad, ops.state));
    }
}

impl<B: Backend + DropoutOps, C: CheckpointStrategy> DropoutOps for Autodiff<B, C> {
    fn drop_out(x: FloatTensor<Self>, mask: DropoutMask) -> FloatTensor<Self> {
        match DropOut.prepare::<C>([x.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                prepared.finish(mask, B::drop_out(x.into_primitive(), mask))
            }
            OpsKind::UnTracked(prepared) => prepared.finish(B::drop_out(x.into_primitive(), mask)),
        }
    }
}
