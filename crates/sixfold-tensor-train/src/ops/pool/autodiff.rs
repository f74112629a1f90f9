//! The backward pass of bags.

use std::sync::Arc;

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend};

use super::PoolOps;
use crate::bags::Bags;

/// Parents: rows and weights.
#[derive(Debug)]
struct BagSum;

impl<B: Backend + PoolOps> Backward<B, 2> for BagSum {
    type State = ([NodeId; 2], Arc<Bags>);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<B>(&ops.node);
        let (inputs, bags) = ops.state;
        let [rows, weights] = inputs.map(|id| checkpointer.retrieve_node_output(id));
        let (rows, weights) = B::bag_sum_backward(rows, weights, grad, bags);
        for (node, gradient) in ops.parents.into_iter().zip([rows, weights]) {
            if let Some(node) = node {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

/// Parent: rows.
#[derive(Debug)]
struct BagMax;

impl<B: Backend + PoolOps> Backward<B, 1> for BagMax {
    type State = (NodeId, Arc<Bags>);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let (rows, bags) = ops.state;
        let rows = checkpointer.retrieve_node_output(rows);
        unary::<B, _>(ops.parents, ops.node, grads, |grad| B::bag_max_backward(rows, grad, bags));
    }
}

impl<B: Backend + PoolOps, C: CheckpointStrategy> PoolOps for Autodiff<B, C> {
    fn bag_sum(
        rows: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        bags: Arc<Bags>,
    ) -> FloatTensor<Self> {
        match BagSum.prepare::<C>([rows.node(), weights.node()]).compute_bound().stateful() {
            OpsKind::Tracked(mut prepared) => {
                let inputs = [&rows, &weights].map(|x| prepared.checkpoint(x));
                let (rows, weights) = (rows.into_primitive(), weights.into_primitive());
                prepared.finish((inputs, bags.clone()), B::bag_sum(rows, weights, bags))
            }
            OpsKind::UnTracked(prepared) => {
                let (rows, weights) = (rows.into_primitive(), weights.into_primitive());
                prepared.finish(B::bag_sum(rows, weights, bags))
            }
        }
    }

    fn bag_sum_backward(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: Arc<Bags>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        unreachable!("called on the inner backend only")
    }

    fn bag_max(rows: FloatTensor<Self>, bags: Arc<Bags>) -> FloatTensor<Self> {
        match BagMax.prepare::<C>([rows.node()]).compute_bound().stateful() {
            OpsKind::Tracked(mut prepared) => {
                let node = prepared.checkpoint(&rows);
                prepared.finish((node, bags.clone()), B::bag_max(rows.into_primitive(), bags))
            }
            OpsKind::UnTracked(prepared) => {
                prepared.finish(B::bag_max(rows.into_primitive(), bags))
            }
        }
    }

    fn bag_max_backward(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: Arc<Bags>,
    ) -> FloatTensor<Self> {
        unreachable!("called on the inner backend only")
    }
}
