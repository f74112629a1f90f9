//! The backward pass of activations.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend};

use super::ActivationOps;
use crate::Activation;

#[derive(Debug)]
struct Activate;

impl<B: Backend + ActivationOps> Backward<B, 1> for Activate {
    type State = (NodeId, Activation);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let (x, kind) = ops.state;
        let x = checkpointer.retrieve_node_output(x);
        unary::<B, _>(ops.parents, ops.node, grads, |grad| B::activate_derivative(x, grad, kind));
    }
}

impl<B: Backend + ActivationOps, C: CheckpointStrategy> ActivationOps for Autodiff<B, C> {
    fn activate(x: FloatTensor<Self>, kind: Activation) -> FloatTensor<Self> {
        match Activate.prepare::<C>([x.node()]).compute_bound().stateful() {
            OpsKind::Tracked(mut prepared) => {
                let state = (prepared.checkpoint(&x), kind);
                prepared.finish(state, B::activate(x.into_primitive(), kind))
            }
            OpsKind::UnTracked(prepared) => prepared.finish(B::activate(x.into_primitive(), kind)),
        }
    }

    fn activate_derivative(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: Activation,
    ) -> FloatTensor<Self> {
        unreachable!("tracked tangents are made of plain operations")
    }
}
