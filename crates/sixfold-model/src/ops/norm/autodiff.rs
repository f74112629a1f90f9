//! The backward pass of norms.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend};

use super::NormOps;
use crate::NormKind;

/// Parents: x, γ, and β where there is one.
#[derive(Debug)]
struct NormStep;

impl<B: Backend + NormOps, const N: usize> Backward<B, N> for NormStep {
    type State = (NodeId, NodeId, f64, NormKind);

    fn backward(
        self,
        ops: Ops<Self::State, N>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let (x, gamma, epsilon, kind) = ops.state;
        let grad = grads.consume::<B>(&ops.node);
        let x = checkpointer.retrieve_node_output(x);
        let gamma = checkpointer.retrieve_node_output(gamma);
        let (dx, dgamma, dbeta) = B::norm_backward(x, gamma, grad, epsilon, kind);
        for (parent, grad) in ops.parents.into_iter().zip([dx, dgamma, dbeta]) {
            if let Some(parent) = parent {
                grads.register::<B>(parent.id, grad);
            }
        }
    }
}

impl<B: Backend + NormOps, C: CheckpointStrategy> NormOps for Autodiff<B, C> {
    fn norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        epsilon: f64,
        kind: NormKind,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), gamma.node()];
        recorded::<B, C, 2>(nodes, x, gamma, (epsilon, kind), |x, gamma| {
            B::norm(x, gamma, epsilon, kind)
        })
    }

    fn norm_offset(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
        kind: NormKind,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), gamma.node(), beta.node()];
        recorded::<B, C, 3>(nodes, x, gamma, (epsilon, kind), |x, gamma| {
            B::norm_offset(x, gamma, beta.into_primitive(), epsilon, kind)
        })
    }

    fn norm_backward(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: f64,
        _: NormKind,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        unreachable!("called on the inner backend only")
    }

    fn norm_tangent(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: f64,
        _: NormKind,
    ) -> FloatTensor<Self> {
        unreachable!("tracked tangents are made of plain operations")
    }
}

fn recorded<B: Backend + NormOps, C: CheckpointStrategy, const N: usize>(
    nodes: [NodeGuard; N],
    x: FloatTensor<Autodiff<B, C>>,
    gamma: FloatTensor<Autodiff<B, C>>,
    (epsilon, kind): (f64, NormKind),
    forward: impl FnOnce(FloatTensor<B>, FloatTensor<B>) -> FloatTensor<B>,
) -> FloatTensor<Autodiff<B, C>> {
    match Backward::<B, N>::prepare::<C>(NormStep, nodes).compute_bound().stateful() {
        OpsKind::Tracked(mut prepared) => {
            let state = (prepared.checkpoint(&x), prepared.checkpoint(&gamma), epsilon, kind);
            prepared.finish(state, forward(x.into_primitive(), gamma.into_primitive()))
        }
        OpsKind::UnTracked(prepared) => {
            prepared.finish(forward(x.into_primitive(), gamma.into_primitive()))
        }
    }
}
