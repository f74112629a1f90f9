//! The backward pass of logits.

use std::sync::Arc;

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Autodiff, Backend};

use super::LogitsOps;
use super::cross_entropy::tracked;
use crate::TtShape;

/// Parents: hidden states and cores.
#[derive(Debug)]
struct TtLogits;

impl<B: Backend + LogitsOps> Backward<B, 2> for TtLogits {
    type State = ([NodeId; 2], Arc<TtShape>);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<B>(&ops.node);
        let (inputs, shape) = ops.state;
        let [hidden, cores] = inputs.map(|id| checkpointer.retrieve_node_output(id));
        let (hidden, cores) = B::tt_logits_backward(hidden, cores, grad, shape);
        for (node, gradient) in ops.parents.into_iter().zip([hidden, cores]) {
            if let Some(node) = node {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

impl<B: Backend + LogitsOps, C: CheckpointStrategy> LogitsOps for Autodiff<B, C> {
    fn tt_logits(
        hidden: FloatTensor<Self>,
        cores: FloatTensor<Self>,
        shape: Arc<TtShape>,
    ) -> FloatTensor<Self> {
        match TtLogits.prepare::<C>([hidden.node(), cores.node()]).compute_bound().stateful() {
            OpsKind::Tracked(mut prepared) => {
                let inputs = [&hidden, &cores].map(|x| prepared.checkpoint(x));
                let (hidden, cores) = (hidden.into_primitive(), cores.into_primitive());
                prepared.finish((inputs, shape.clone()), B::tt_logits(hidden, cores, shape))
            }
            OpsKind::UnTracked(prepared) => {
                let (hidden, cores) = (hidden.into_primitive(), cores.into_primitive());
                prepared.finish(B::tt_logits(hidden, cores, shape))
            }
        }
    }

    fn tt_logits_backward(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: Arc<TtShape>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        unreachable!("called on the inner backend only")
    }

    fn tt_cross_entropy(
        hidden: FloatTensor<Self>,
        cores: FloatTensor<Self>,
        targets: IntTensor<Self>,
        shape: Arc<TtShape>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        tracked::<B, C>(hidden, cores, targets, shape)
    }

    fn tt_cross_entropy_backward(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: IntTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: Arc<TtShape>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        unreachable!("called on the inner backend only")
    }
}
