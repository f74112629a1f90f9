//! The backward pass of MeProp.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend};

use super::KeepOps;

#[derive(Debug)]
struct Keep;

impl<B: Backend + KeepOps> Backward<B, 1> for Keep {
    type State = usize;

    fn backward(self, ops: Ops<usize, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let k = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |g| B::keep_backward(g, k));
    }
}

impl<B: Backend + KeepOps, C: CheckpointStrategy> KeepOps for Autodiff<B, C> {
    fn keep(y: FloatTensor<Self>, k: usize) -> FloatTensor<Self> {
        match Keep.prepare::<C>([y.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(k, y.into_primitive()),
            OpsKind::UnTracked(prepared) => prepared.finish(y.into_primitive()),
        }
    }

    fn keep_backward(_: FloatTensor<Self>, _: usize) -> FloatTensor<Self> {
        unreachable!("gradients are of first order")
    }
}
