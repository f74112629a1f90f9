//! The backward pass of the affine map.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend};

use super::LinearOps;

/// Parents: x, weight and, where there are three, bias.
#[derive(Debug)]
struct Affine;

/// x for the gradient of the weight, the weight for that of x; each only where it is asked for.
type State = (Option<NodeId>, Option<NodeId>);

impl<B: Backend + LinearOps, const N: usize> Backward<B, N> for Affine {
    type State = State;

    fn backward(self, ops: Ops<State, N>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let g = grads.consume::<B>(&ops.node);
        let (x, weight) = ops.state;
        let mut parents = ops.parents.into_iter();
        let (to_x, to_weight, to_bias) =
            (parents.next().flatten(), parents.next().flatten(), parents.next().flatten());
        if let (Some(node), Some(weight)) = (to_x, weight) {
            let weight = checkpointer.retrieve_node_output(weight);
            grads.register::<B>(node.id, B::affine_grad_x(weight, g.clone()));
        }
        if let (Some(node), Some(x)) = (to_weight, x) {
            let x = checkpointer.retrieve_node_output(x);
            grads.register::<B>(node.id, B::affine_grad_weight(x, g.clone()));
        }
        if let Some(node) = to_bias {
            grads.register::<B>(node.id, B::affine_grad_bias(g));
        }
    }
}

impl<B: Backend + LinearOps, C: CheckpointStrategy> LinearOps for Autodiff<B, C> {
    fn affine(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let parents = [x.node(), weight.node(), bias.node()];
        match Affine.prepare::<C>(parents).compute_bound().stateful() {
            OpsKind::Tracked(mut prepared) => {
                let state = (
                    weight.is_tracked().then(|| prepared.checkpoint(&x)),
                    x.is_tracked().then(|| prepared.checkpoint(&weight)),
                );
                let bias = bias.into_primitive();
                prepared.finish(state, B::affine(x.into_primitive(), weight.into_primitive(), bias))
            }
            OpsKind::UnTracked(prepared) => {
                let bias = bias.into_primitive();
                prepared.finish(B::affine(x.into_primitive(), weight.into_primitive(), bias))
            }
        }
    }

    fn project(x: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self> {
        match Affine.prepare::<C>([x.node(), weight.node()]).compute_bound().stateful() {
            OpsKind::Tracked(mut prepared) => {
                let state = (
                    weight.is_tracked().then(|| prepared.checkpoint(&x)),
                    x.is_tracked().then(|| prepared.checkpoint(&weight)),
                );
                prepared.finish(state, B::project(x.into_primitive(), weight.into_primitive()))
            }
            OpsKind::UnTracked(prepared) => {
                prepared.finish(B::project(x.into_primitive(), weight.into_primitive()))
            }
        }
    }

    fn affine_grad_x(_: FloatTensor<Self>, _: FloatTensor<Self>) -> FloatTensor<Self> {
        unreachable!("gradients are of first order")
    }

    fn affine_grad_weight(_: FloatTensor<Self>, _: FloatTensor<Self>) -> FloatTensor<Self> {
        unreachable!("gradients are of first order")
    }

    fn affine_grad_bias(_: FloatTensor<Self>) -> FloatTensor<Self> {
        unreachable!("gradients are of first order")
    }
}
