//! The backward pass of the look-up.

use burn::backend::TensorMetadata;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Autodiff, Backend};

use super::EmbeddingOps;

#[derive(Debug)]
struct RowsOf;

impl<B: Backend + EmbeddingOps> Backward<B, 1> for RowsOf {
    type State = (IntTensor<B>, usize);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (ids, rows) = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |grad| B::rows_of_backward(grad, ids, rows));
    }
}

impl<B: Backend + EmbeddingOps, C: CheckpointStrategy> EmbeddingOps for Autodiff<B, C> {
    fn rows_of(table: FloatTensor<Self>, ids: IntTensor<Self>) -> FloatTensor<Self> {
        match RowsOf.prepare::<C>([table.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let state = (ids.clone(), table.shape()[0]);
                prepared.finish(state, B::rows_of(table.into_primitive(), ids))
            }
            OpsKind::UnTracked(prepared) => {
                prepared.finish(B::rows_of(table.into_primitive(), ids))
            }
        }
    }

    fn rows_of_backward(_: FloatTensor<Self>, _: IntTensor<Self>, _: usize) -> FloatTensor<Self> {
        unreachable!("called on the inner backend only")
    }
}
