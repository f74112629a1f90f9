//! The backward pass of the recurrence.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend, Backend};

use super::LstmOps;

/// Parents: inputs and weight.
#[derive(Debug)]
struct Recur;

/// The weight; states, gates and cells; the order of the steps.
type State<B> = (NodeId, [FloatTensor<B>; 3], bool);

impl<B: Backend + LstmOps> Backward<B, 2> for Recur {
    type State = State<B>;

    fn backward(
        self,
        ops: Ops<State<B>, 2>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<B>(&ops.node);
        let (weight, [states, gates, cells], backwards) = ops.state;
        let weight = checkpointer.retrieve_node_output(weight);
        let (by_inputs, by_weight) =
            B::recur_backward(weight, states, gates, cells, grad, backwards);
        for (parent, grad) in ops.parents.into_iter().zip([by_inputs, by_weight]) {
            if let Some(parent) = parent {
                grads.register::<B>(parent.id, grad);
            }
        }
    }
}

impl<B: Backend + LstmOps, C: CheckpointStrategy> LstmOps for Autodiff<B, C> {
    fn recur(
        inputs: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        backwards: bool,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let nodes = [inputs.node(), weight.node()];
        match Recur.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut prepared) => {
                let node = prepared.checkpoint(&weight);
                let (states, gates, cells) =
                    B::recur(inputs.into_primitive(), weight.into_primitive(), backwards);
                let state = (node, [states.clone(), gates.clone(), cells.clone()], backwards);
                let states = prepared.finish(state, states);
                (states, Self::from_inner(gates), Self::from_inner(cells))
            }
            OpsKind::UnTracked(prepared) => {
                let (states, gates, cells) =
                    B::recur(inputs.into_primitive(), weight.into_primitive(), backwards);
                (prepared.finish(states), Self::from_inner(gates), Self::from_inner(cells))
            }
        }
    }

    fn recur_backward(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: bool,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        unreachable!("called on the inner backend only")
    }
}
