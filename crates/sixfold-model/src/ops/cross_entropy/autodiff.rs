//! The backward pass of the cross-entropy.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Autodiff, AutodiffBackend, Backend};

use super::CrossEntropyOps;

#[derive(Debug)]
struct CrossEntropy;

impl<B: Backend + CrossEntropyOps> Backward<B, 1> for CrossEntropy {
    type State = (NodeId, IntTensor<B>, FloatTensor<B>, f32);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let (logits, targets, statistics, smoothing) = ops.state;
        let logits = checkpointer.retrieve_node_output(logits);
        unary::<B, _>(ops.parents, ops.node, grads, |grad| {
            B::cross_entropy_backward(logits, targets, statistics, grad, smoothing)
        });
    }
}

impl<B: Backend + CrossEntropyOps, C: CheckpointStrategy> CrossEntropyOps for Autodiff<B, C> {
    fn cross_entropy(
        logits: FloatTensor<Self>,
        targets: IntTensor<Self>,
        smoothing: f32,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (losses, statistics) =
            match CrossEntropy.prepare::<C>([logits.node()]).compute_bound().stateful() {
                OpsKind::Tracked(mut prepared) => {
                    let node = prepared.checkpoint(&logits);
                    let (losses, statistics) =
                        B::cross_entropy(logits.into_primitive(), targets.clone(), smoothing);
                    let state = (node, targets, statistics.clone(), smoothing);
                    (prepared.finish(state, losses), statistics)
                }
                OpsKind::UnTracked(prepared) => {
                    let (losses, statistics) =
                        B::cross_entropy(logits.into_primitive(), targets, smoothing);
                    (prepared.finish(losses), statistics)
                }
            };
        (losses, Self::from_inner(statistics))
    }

    fn cross_entropy_backward(
        _: FloatTensor<Self>,
        _: IntTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: f32,
    ) -> FloatTensor<Self> {
        unreachable!("called on the inner backend only")
    }

    fn cross_entropy_tangent(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: IntTensor<Self>,
        _: f32,
    ) -> FloatTensor<Self> {
        unreachable!("tracked tangents are made of plain operations")
    }
}
