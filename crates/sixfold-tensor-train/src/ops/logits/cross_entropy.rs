//! The backward pass of the cross-entropy.

use std::sync::Arc;

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Autodiff, AutodiffBackend, Backend};

use super::LogitsOps;
use crate::TtShape;

/// Parents: hidden states and cores.
#[derive(Debug)]
struct TtCrossEntropy;

impl<B: Backend + LogitsOps> Backward<B, 2> for TtCrossEntropy {
    type State = ([NodeId; 2], IntTensor<B>, FloatTensor<B>, Arc<TtShape>);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<B>(&ops.node);
        let (inputs, targets, log_sums, shape) = ops.state;
        let [hidden, cores] = inputs.map(|id| checkpointer.retrieve_node_output(id));
        let (hidden, cores) =
            B::tt_cross_entropy_backward(hidden, cores, targets, log_sums, grad, shape);
        for (node, gradient) in ops.parents.into_iter().zip([hidden, cores]) {
            if let Some(node) = node {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

type Tracked<B, C> = FloatTensor<Autodiff<B, C>>;

/// The operation on tracked tensors.
pub(super) fn tracked<B: Backend + LogitsOps, C: CheckpointStrategy>(
    hidden: Tracked<B, C>,
    cores: Tracked<B, C>,
    targets: IntTensor<B>,
    shape: Arc<TtShape>,
) -> (Tracked<B, C>, Tracked<B, C>) {
    let nodes = [hidden.node(), cores.node()];
    let (losses, log_sums) = match TtCrossEntropy.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(mut prepared) => {
            let inputs = [&hidden, &cores].map(|x| prepared.checkpoint(x));
            let (hidden, cores) = (hidden.into_primitive(), cores.into_primitive());
            let (losses, log_sums) =
                B::tt_cross_entropy(hidden, cores, targets.clone(), shape.clone());
            let state = (inputs, targets, log_sums.clone(), shape);
            (prepared.finish(state, losses), log_sums)
        }
        OpsKind::UnTracked(prepared) => {
            let (hidden, cores) = (hidden.into_primitive(), cores.into_primitive());
            let (losses, log_sums) = B::tt_cross_entropy(hidden, cores, targets, shape);
            (prepared.finish(losses), log_sums)
        }
    };
    (losses, Autodiff::<B, C>::from_inner(log_sums))
}
